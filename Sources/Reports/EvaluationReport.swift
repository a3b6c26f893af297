import CharacterModel
import FoundationEssentials
import Tokenization

/// A score and all figures derived from it.
public struct EvaluationReport {
    let total: EvaluationFigures
    let context: Context

    struct Context: Encodable {
        let unit: String
        let normalization: String
        let lossy: Bool
        let state: String
        let checkpoint: String
        let sha256: String
        let files: [EvaluationFigures]
        /// Mean nats per token of n-grams of 1 symbol, of 2, and so on.
        let baselineNats: [Double]?
        /// The total under the network alone and under the counts alone, of a model that mixes both.
        let networkNats: Double?
        let countsNats: Double?
        let dynamic: Dynamic?
    }

    /// The score while the weights followed the text.
    struct Dynamic: Encodable {
        let nats: Double?
        let perplexity: Double?
        let bitsPerCharacter: Double?
        let rate: Double
        let decay: Double

        /// Values that overflow are encoded as null, not omitted.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(nats, forKey: .nats)
            try container.encode(perplexity, forKey: .perplexity)
            try container.encode(bitsPerCharacter, forKey: .bitsPerCharacter)
            try container.encode(rate, forKey: .rate)
            try container.encode(decay, forKey: .decay)
        }

        private enum CodingKeys: String, CodingKey { case nats, perplexity, bitsPerCharacter, rate, decay }
    }

    /// - Parameters:
    ///   - checkpoint, sha256: the path of the model, and the hash of the text.
    ///   - baseline: the score under n-grams of 1 symbol, of 2, and so on.
    ///   - dynamic: the score while the weights followed the text.
    public init(
        _ evaluation: TextEvaluation, model: LanguageModel, checkpoint: String, state: StatePolicy, sha256: String,
        baseline: [Likelihood]?, dynamic: (score: Likelihood, rates: DynamicRates)?
    ) {
        total = EvaluationFigures(evaluation.total)
        context = Context(
            unit: model.vocabulary.unit.rawValue, normalization: model.vocabulary.normalization.rawValue,
            lossy: model.vocabulary.normalization.isLossy, state: state.rawValue, checkpoint: checkpoint,
            sha256: sha256,
            files: evaluation.files.map(EvaluationFigures.init),
            baselineNats: baseline?.map { $0.nats / Double($0.tokens) },
            networkNats: evaluation.network?.nats, countsNats: evaluation.ngrams?.nats,
            dynamic: dynamic.map { score, rates in
                func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
                return Dynamic(
                    nats: finite(score.nats), perplexity: finite(score.perplexity),
                    bitsPerCharacter: finite(score.bits(per: evaluation.total.counts.characters)),
                    rate: rates.learningRate, decay: rates.decay)
            })
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    private func number(_ value: Double?, _ decimals: Int) -> String {
        guard let value else { return "-" }
        return value < 1e7 ? formatted(value, decimals: decimals) : formatted(value, as: "%.3e")
    }

    /// Mean nats per symbol.
    var mean: Double? { total.tokens > 0 ? total.nats / Double(total.tokens) : nil }

    /// The totals, for people to read.
    public var rows: [(name: String, value: String)] {
        let error = total.standardError.map { " (standard error \(formatted($0, decimals: 4)))" } ?? ""
        var rows: [(name: String, value: String)] = [
            ("text", total.name),
            (
                "symbols",
                "\(formatted(total.tokens)) (\(context.unit), \(context.normalization)), "
                    + "\(formatted(total.unknownTokens)) unknown"
                    + (total.records > 0 ? ", including the ends of \(formatted(total.records)) records" : "")
            ),
            ("nats per symbol", number(mean, 4) + error),
            ("perplexity", number(total.perplexity, 3)),
        ]
        if let network = context.networkNats, let counts = context.countsNats, total.tokens > 0 {
            let each = [network, counts].map { number($0 / Double(total.tokens), 4) }
            rows.append(("network, counts", "\(each[0]) and \(each[1]) nats per symbol, each alone"))
        }
        rows += [
            (
                "bits per character",
                number(total.bitsPerCharacter, 3) + (total.bitsPerCharacter.map { ": \(meaning(ofBits: $0))" } ?? "")
            ),
            ("bits per byte", number(total.bitsPerByte, 3)),
            ("bits per word", number(total.bitsPerWord, 1)),
        ]
        if let dynamic = context.dynamic {
            let mean = dynamic.nats.map { $0 / Double(total.tokens) }
            rows.append(
                (
                    "dynamic",
                    "\(number(mean, 4)) nats per symbol, \(number(dynamic.bitsPerCharacter, 3)) bits per character "
                        + "(rate \(dynamic.rate), decay \(dynamic.decay))"
                ))
        }
        if context.lossy {
            rows.append(("note", "\(context.normalization) is lossy: not the original's code length"))
        }
        return rows
    }

    /// The totals, and a line for each file if there are several.
    public func table() -> String {
        var lines = rows.map { $0.0 + String(repeating: " ", count: 20 - $0.0.count) + $0.1 }
        if let baseline = context.baselineNats, let best = baseline.indices.min(by: { baseline[$0] < baseline[$1] }) {
            lines += ["", "nats per symbol under n-grams (the model: \(number(mean, 4)))"]
            lines += baseline.enumerated().map { order, nats in
                "\(order + 1)  \(number(nats, 4))" + (order == best ? "  the best" : "")
            }
        }
        if context.files.count > 1 {
            lines += ["", "bits per character, perplexity, file"]
            lines += context.files.map {
                "\(number($0.bitsPerCharacter, 3))  \(number($0.perplexity, 3))  \($0.name)"
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension EvaluationReport: Encodable {
    public func encode(to encoder: any Encoder) throws {
        try total.encode(to: encoder)
        try context.encode(to: encoder)
    }
}
