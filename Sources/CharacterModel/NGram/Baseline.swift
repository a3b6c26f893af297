import RealModule
import Tokenization

/// An n-gram baseline for the same text. It answers the question "is my network any good?".
public struct Baseline: Sendable {
    private let counts: KneserNey
    private let vocabulary: Vocabulary
    /// The number of symbols counted.
    public let symbols: Int
    /// Whether only the network's training part was counted, without its validation part.
    public let isTrainingPart: Bool

    /// Counts the n-grams of a text in the symbols of a model. If it is the text that the model was trained on, only
    /// its training part is counted.
    ///
    /// - Parameters:
    ///   - corpus: the text whose n-grams are counted, as the model reads it.
    ///   - model: the model whose vocabulary is used.
    /// - Throws: `TextError.empty`.
    public init(_ corpus: Corpus, for model: LanguageModel) throws {
        let training = model.training?.corpus
        let isSame = training.map { $0.sha256 == corpus.sha256 && $0.validationSource == nil } ?? false
        let data = try TrainingData(
            corpus, fraction: isSame ? training?.validationFraction : 0, vocabulary: model.vocabulary)
        guard data.trainingSymbols > 0 else { throw TextError.empty(path: corpus.name) }
        isTrainingPart = isSame && data.validationSymbols > 0
        vocabulary = model.vocabulary
        symbols = data.trainingSymbols
        counts = KneserNey(data.training, vocabulary: vocabulary)
    }

    /// The score of a text under n-grams of 1 symbol, of 2, and so on, computed by the same rules as a network's score.
    public func evaluate(_ corpus: Corpus, state: StatePolicy = .file) -> [Likelihood] {
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        return counts.nats(of: text).map { Likelihood(nats: $0, tokens: text.count) }
    }

    /// The memory curve of the n-grams of 1 to 8 symbols, which see 0 to 7 symbols before the one they predict: at the
    /// positions at which `LanguageModel.memory(of:)` measures a network's.
    ///
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func memory(of corpus: Corpus, positions count: Int = 2_000) throws(EvaluationError) -> MemoryCurve {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let chosen = spread(count, of: 0..<text.count)
        var nats = [[Double]](repeating: [], count: counts.order)
        counts.forEach(of: text) { position, symbol, probabilities in
            guard nats[0].count < chosen.count, position == chosen[nats[0].count] else { return }
            for length in nats.indices {
                nats[length].append(-.log(probabilities[length]) + text.spelling(ofSymbol: symbol))
            }
        }
        return MemoryCurve(
            points: nats.enumerated().map { MemoryCurve.Point(context: $0, nats: MeanEstimate($1)) },
            positions: chosen.count)
    }
}
