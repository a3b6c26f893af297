import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// A score with every figure derived from it.
struct Report {
    private let total: Figures
    private let context: Context

    /// The figures of one file, or of all.
    struct Figures: Encodable {
        let name: String
        let nats: Double
        let tokens: Int
        let perplexity: Double?
        let bitsPerToken: Double?
        let bitsPerCharacter: Double?
        let bitsPerScalar: Double?
        let bitsPerByte: Double?
        let wordPerplexity: Double?
        let standardError: Double?
        let unknownTokens: Int
        let records: Int
        let bytes: Int
        let scalars: Int
        let characters: Int
        let words: Int

        init(_ file: TextEvaluation.File) {
            let (likelihood, counts) = (file.likelihood, file.counts)
            /// Nothing can be said per unit of an empty text, nor of a mean that overflows.
            func finite(_ value: Double) -> Double? { value.isFinite && likelihood.tokens > 0 ? value : nil }
            name = file.name
            nats = likelihood.nats
            tokens = likelihood.tokens
            perplexity = finite(likelihood.perplexity)
            bitsPerToken = finite(likelihood.bitsPerToken)
            bitsPerCharacter = finite(likelihood.bits(per: counts.characters))
            bitsPerScalar = finite(likelihood.bits(per: counts.scalars))
            bitsPerByte = finite(likelihood.bits(per: counts.bytes))
            wordPerplexity = finite(exp(likelihood.nats / Double(counts.words)))
            standardError = file.standardError
            unknownTokens = file.unknownTokens
            records = file.records
            bytes = counts.bytes
            scalars = counts.scalars
            characters = counts.characters
            words = counts.words
        }

        /// What cannot be said is null, and not left out.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(nats, forKey: .nats)
            try container.encode(tokens, forKey: .tokens)
            for (key, value) in [
                (CodingKeys.perplexity, perplexity), (.bitsPerToken, bitsPerToken), (.wordPerplexity, wordPerplexity),
                (.bitsPerCharacter, bitsPerCharacter), (.bitsPerScalar, bitsPerScalar), (.bitsPerByte, bitsPerByte),
                (.standardError, standardError),
            ] { try container.encode(value, forKey: key) }
            for (key, value) in [
                (CodingKeys.unknownTokens, unknownTokens), (.records, records), (.bytes, bytes), (.scalars, scalars),
                (.characters, characters), (.words, words),
            ] { try container.encode(value, forKey: key) }
        }

        private enum CodingKeys: String, CodingKey {
            case name, nats, tokens, perplexity, bitsPerToken, bitsPerCharacter, bitsPerScalar, bitsPerByte
            case wordPerplexity, standardError, unknownTokens, records, bytes, scalars, characters, words
        }
    }

    private struct Context: Encodable {
        let unit: String
        let normalization: String
        let lossy: Bool
        let state: String
        let checkpoint: String
        let sha256: String
        let files: [Figures]
        /// Mean nats per token of n-grams of 1 symbol, of 2, and so on.
        let baselineNats: [Double]?
        let dynamic: Dynamic?
    }

    /// The score while the weights followed the text.
    private struct Dynamic: Encodable {
        let nats: Double?
        let perplexity: Double?
        let bitsPerCharacter: Double?
        let rate: Double
        let decay: Double

        /// What overflows is null, and not left out.
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

    init(
        _ evaluation: TextEvaluation, model: LanguageModel, checkpoint: String, state: StatePolicy, sha256: String,
        baseline: [Likelihood]?, dynamic: (score: Likelihood, rates: DynamicRates)?
    ) {
        total = Figures(evaluation.total)
        context = Context(
            unit: model.vocabulary.unit.rawValue, normalization: model.vocabulary.normalization.rawValue,
            lossy: model.vocabulary.normalization.isLossy, state: state.rawValue, checkpoint: checkpoint,
            sha256: sha256,
            files: evaluation.files.map(Figures.init),
            baselineNats: baseline?.map { $0.nats / Double($0.tokens) },
            dynamic: dynamic.map { score, rates in
                func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
                return Dynamic(
                    nats: finite(score.nats), perplexity: finite(score.perplexity),
                    bitsPerCharacter: finite(score.bits(per: evaluation.total.counts.characters)),
                    rate: rates.learningRate, decay: rates.decay)
            })
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    private func number(_ value: Double?, _ decimals: Int) -> String {
        guard let value else { return "-" }
        return value < 1e7 ? formatted(value, decimals: decimals) : String(format: "%.3e", value)
    }

    /// Mean nats per symbol.
    private var mean: Double? { total.tokens > 0 ? total.nats / Double(total.tokens) : nil }

    /// The totals to read.
    var rows: [(name: String, value: String)] {
        let error = total.standardError.map { " (standard error \(formatted($0, decimals: 4)))" } ?? ""
        var rows: [(name: String, value: String)] = [
            ("text", total.name),
            (
                "symbols",
                "\(formatted(total.tokens)) (\(context.unit), \(context.normalization)), "
                    + "\(formatted(total.unknownTokens)) unknown"
                    + (total.records > 0 ? ", the ends of \(formatted(total.records)) records among them" : "")
            ),
            ("nats per symbol", number(mean, 4) + error),
            ("perplexity", number(total.perplexity, 3)),
            ("bits per character", number(total.bitsPerCharacter, 3)),
            ("bits per byte", number(total.bitsPerByte, 3)),
            ("word perplexity", number(total.wordPerplexity, 1)),
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
            rows.append(("note", "\(context.normalization) loses text: not the original's code length"))
        }
        return rows
    }

    /// The totals, and a line for each file where there are several.
    func table() -> String {
        var lines = rows.map { $0.0.padding(toLength: 20, withPad: " ", startingAt: 0) + $0.1 }
        if let baseline = context.baselineNats, let best = baseline.indices.min(by: { baseline[$0] < baseline[$1] }) {
            lines += ["", "nats per symbol under n-grams (the network: \(number(mean, 4)))"]
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

extension Report: Encodable {
    func encode(to encoder: any Encoder) throws {
        try total.encode(to: encoder)
        try context.encode(to: encoder)
    }
}
