import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Tokenization

/// What a model is and how it was trained, for people to read.
public struct ModelCard {
    private let model: LanguageModel
    private let path: String
    private let bytes: Int?

    /// - Parameter bytes: the size of the file, if known.
    public init(_ model: LanguageModel, path: String, bytes: Int?) {
        self.model = model
        self.path = path
        self.bytes = bytes
    }

    /// Each value is one line: untrusted text from the file is escaped.
    public var rows: [(name: String, value: String)] {
        ([("model", path)] + shape + symbols + training).map { ($0.name, printable($0.value)) }
    }

    /// The same as one JSON object, for programs.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(ModelFigures(model, path: path, bytes: bytes)), as: UTF8.self) + "\n"
    }

    private var shape: [(name: String, value: String)] {
        let shape = model.configuration
        return [
            ("what it is", "\(shape.layers) x \(shape.hidden) \(shape.cell.rawValue): \(shape.cell.title)"),
            ("parameters", formatted(shape.parameterCount)),
            ("n-grams", ngrams),
            ("file", bytes.map { formatted(bytes: Double($0)) } ?? "-"),
        ]
    }

    private var ngrams: String {
        guard let mixture = model.mixture else { return "none" }
        return "up to \(mixture.counts.order) symbols, \(formatted(bytes: Double(mixture.counts.bytes)))"
    }

    private var symbols: [(name: String, value: String)] {
        let vocabulary = model.vocabulary
        return [
            ("symbols", formatted(vocabulary.symbols.count)),
            ("made with", madeWith),
        ]
    }

    private var madeWith: String {
        let versions = model.vocabulary.versions
        return versions.icu.isEmpty ? "not recorded" : "ICU \(versions.icu), Unicode \(versions.unicode)"
    }

    private var training: [(name: String, value: String)] {
        guard let record = model.training else { return [("training", "not recorded")] }
        let corpus = record.corpus
        var rows: [(name: String, value: String)] = [
            ("corpus", corpus.sources.joined(separator: ", ")), ("its SHA-256", corpus.sha256),
        ]
        if let origin = corpus.origin { rows.append(("started from", origin)) }
        let validation =
            record.bestValidation.map { "\(formatted($0, decimals: 4)) nats per symbol, step \(record.bestStep ?? 0)" }
            ?? "none"
        rows.append(("best validation", validation))
        rows.append(
            (
                "trained for",
                "\(formatted(record.step)) steps, \(formatted(record.tokens)) symbols, \(formatted(seconds: record.seconds))"
            ))
        if record.recovery.count > 0 { rows.append(("recoveries", "\(record.recovery.count)")) }
        return rows
            + optionRows(
                TrainingSetup(configuration: model.configuration, vocabulary: model.vocabulary, record: record))
    }
}

/// Each option of a training that its cell uses, in the order of declaration.
package func optionRows(_ setup: TrainingSetup) -> [(name: String, value: String)] {
    let options = TrainingOptions(setup)
    return OptionList.all.filter { setup.configuration.cell.uses($0.name) }.compactMap { option in
        let isTime = option.name == OptionList.declared.timeLimit.name
        let text = isTime ? options.timeLimit.map { formatted(seconds: $0) } : option.text(in: options)
        return text.map { (option.name.replacing("-", with: " "), $0) }
    }
}

/// A text with its control characters escaped.
public func printable(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { line, scalar in
        let isControl = scalar.properties.generalCategory == .control || ["\u{2028}", "\u{2029}"].contains(scalar)
        line += isControl ? scalar.escaped(asASCII: true) : String(scalar)
    }
}

/// Names and values as two columns.
public func columns(_ rows: [(name: String, value: String)]) -> String {
    rows.map { $0.name + String(repeating: " ", count: max(1, 20 - $0.name.count)) + $0.value }
        .joined(separator: "\n") + "\n"
}
