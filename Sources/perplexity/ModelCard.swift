import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// What a checkpoint holds, to read.
struct ModelCard {
    private let model: LanguageModel
    private let path: String

    init(_ model: LanguageModel, path: String) {
        self.model = model
        self.path = path
    }

    var rows: [(name: String, value: String)] { [("model", path)] + shape + symbols + training }

    private var shape: [(name: String, value: String)] {
        let shape = model.configuration
        var cell = shape.cell.rawValue
        if shape.cell == .rnn { cell += " (\(shape.nonlinearity.rawValue))" }
        let input =
            shape.embedding == 0 ? "one-hot" : "\(shape.embedding)" + (shape.isTied ? ", tied to the decoder" : "")
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int).flatMap(\.self)
        return [
            ("cell", cell), ("layers x hidden", "\(shape.layers) x \(shape.hidden)"), ("embedding", input),
            ("parameters", formatted(shape.parameterCount)),
            (
                "dropout",
                "\(shape.dropout) of outputs, \(shape.weightDropout) of weights"
            ),
            ("file", size.map { formatted(bytes: Double($0)) } ?? "-"),
        ]
    }

    private var symbols: [(name: String, value: String)] {
        let vocabulary = model.vocabulary
        return [
            (
                "symbols",
                "\(formatted(vocabulary.symbols.count)) (\(vocabulary.unit.rawValue)s, \(vocabulary.normalization.rawValue))"
            ),
            ("records", vocabulary.records.map { $0.name.debugDescription } ?? "none"),
            ("made with", "ICU \(vocabulary.versions.icu), Unicode \(vocabulary.versions.unicode)"),
        ]
    }

    private var training: [(name: String, value: String)] {
        guard let record = model.training else { return [("training", "not said")] }
        let (options, corpus) = (record.options, record.corpus)
        let budget =
            switch options.budget {
            case .epochs(let count): "\(count) epochs"
            case .steps(let count): "\(formatted(count)) steps"
            case .seconds(let seconds): formatted(seconds: seconds)
            }
        let validated =
            corpus.validationSource ?? corpus.validationFraction.map { "a part of \($0)" } ?? "a tenth of the corpus"
        let validation =
            record.bestValidation.map { "\(formatted($0, decimals: 4)) nats per symbol, step \(record.bestStep ?? 0)" }
            ?? "none"
        let optimizer =
            "\(options.optimizer.rawValue), rate \(options.learningRate) (\(options.schedule.rawValue), warmup "
            + "\(options.warmup)), weight decay \(options.weightDecay), clip \(options.clip)"
        var rows: [(name: String, value: String)] = [
            ("corpus", corpus.sources.joined(separator: ", ")),
            ("its SHA-256", corpus.sha256),
        ]
        if let origin = corpus.origin { rows.append(("began with", origin)) }
        rows.append(("validation", validated))
        rows.append(("best validation", validation))
        rows.append(
            (
                "trained for",
                "\(formatted(record.step)) steps, \(formatted(record.tokens)) symbols, \(formatted(seconds: record.seconds))"
            ))
        rows.append(("budget", budget))
        rows.append(("batch x window", "\(options.batch) x \(options.window)"))
        rows.append(("optimizer", optimizer))
        rows.append(("seed", "\(options.seed)"))
        if record.recovery.count > 0 { rows.append(("recoveries", "\(record.recovery.count)")) }
        return rows
    }
}

/// Names and values as two columns.
func columns(_ rows: [(name: String, value: String)]) -> String {
    rows.map { $0.name.padding(toLength: 20, withPad: " ", startingAt: 0) + $0.value }.joined(separator: "\n") + "\n"
}
