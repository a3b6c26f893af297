import CharacterModel
import CommandSupport
import FoundationEssentials
import Reports
import Training

/// The result of a training.
struct TrainingResult: Encodable {
    let model: String
    let last: String
    let steps: Int
    let tokens: Int
    let seconds: Double
    let bestStep: Int?
    /// Mean nats per symbol and bits per character of the validation part, exactly; nil without one.
    let validationNats: Double?
    let validationBitsPerCharacter: Double?
    let metrics: String?

    init(_ record: TrainingRecord, _ place: Trainer.Output, _ exact: ValidationReport?) {
        (model, last) = (place.path, place.lastPath)
        (steps, tokens, seconds, bestStep) = (record.step, record.tokens, record.seconds, record.bestStep)
        (validationNats, validationBitsPerCharacter) = (exact?.nats, exact?.bitsPerCharacter)
        metrics = record.metricsPath
    }

    var text: String {
        var figures = "no validation"
        if let nats = validationNats, let bits = validationBitsPerCharacter {
            figures =
                "validation: \(formatted(bits, decimals: 3)) bits per character (\(formatted(nats, decimals: 4)) nats per "
                + "symbol), step \(bestStep ?? steps): \(meaning(ofBits: bits))"
        }
        return """
            model: \(model)
            \(figures)
            try: \(Invocation.current.line(of: "sample")) \(quoted(model)) --temperature 0.8

            """
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
