import CharacterModel
import FoundationEssentials
import Tokenization

/// What random windows of a text score.
public struct CropReport: Encodable {
    let name: String
    let sha256: String
    let unit: String
    let checkpoint: String
    let seed: UInt64
    let crops: Int
    let length: Int
    let nats: Double
    let tokens: Int
    let perplexity: Double?
    let bitsPerToken: Double
    let standardError: Double?
    /// Mean nats at each place of a crop.
    let natsByPlace: [Double]
    /// The mean over the last three quarters of the places.
    private let later: (place: Int, nats: Double)

    /// - Parameters:
    ///   - text, sha256: the name of the text and its hash.
    ///   - checkpoint: the path of the model.
    public init(
        _ evaluation: CropEvaluation, text: String, sha256: String, unit: TextUnit, checkpoint: String, seed: UInt64
    ) {
        let likelihood = evaluation.likelihood
        (name, self.sha256, self.unit) = (text, sha256, unit.rawValue)
        (self.checkpoint, self.seed) = (checkpoint, seed)
        (crops, length) = (evaluation.count, evaluation.length)
        (nats, tokens, bitsPerToken) = (likelihood.nats, likelihood.tokens, likelihood.bitsPerToken)
        perplexity = likelihood.perplexity.isFinite ? likelihood.perplexity : nil
        standardError = evaluation.standardError
        natsByPlace = evaluation.natsByPlace
        later = (evaluation.length / 4, evaluation.nats(from: evaluation.length / 4))
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// For people to read.
    public func table() -> String {
        let mean = nats / Double(tokens)
        let error = standardError.map { " (standard error \(formatted($0, decimals: 4)))" } ?? ""
        var rows: [(name: String, value: String)] = [
            ("text", name),
            ("crops", "\(formatted(crops)) of \(formatted(length)) symbols (\(unit)), each from nothing, seed \(seed)"),
            ("nats per symbol", formatted(mean, decimals: 4) + error),
            ("perplexity", perplexity.map { formatted($0, decimals: 3) } ?? "-"),
            ("bits per symbol", formatted(bitsPerToken, decimals: 3)),
        ]
        if later.place > 0 {
            rows.append(
                ("from symbol \(formatted(later.place + 1))", "\(formatted(later.nats, decimals: 4)) nats per symbol"))
        }
        return columns(rows)
    }

    /// Undefined values are encoded as null, not omitted.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        for (key, text) in [(CodingKeys.name, name), (.sha256, sha256), (.unit, unit), (.checkpoint, checkpoint)] {
            try container.encode(text, forKey: key)
        }
        for (key, count) in [(CodingKeys.crops, crops), (.length, length), (.tokens, tokens)] {
            try container.encode(count, forKey: key)
        }
        try container.encode(seed, forKey: .seed)
        for (key, value) in [
            (CodingKeys.nats, nats), (.perplexity, perplexity), (.bitsPerToken, bitsPerToken),
            (.standardError, standardError),
        ] { try container.encode(value, forKey: key) }
        try container.encode(natsByPlace, forKey: .natsByPlace)
    }

    private enum CodingKeys: String, CodingKey {
        case name, sha256, unit, checkpoint, seed, crops, length, nats, tokens, perplexity, bitsPerToken, standardError
        case natsByPlace
    }
}
