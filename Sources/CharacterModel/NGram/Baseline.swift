import Tokenization

/// What counting makes of the same text: the answer to "is my network any good?".
public struct Baseline: Sendable {
    private let counts: KneserNey
    private let vocabulary: Vocabulary
    /// The symbols that were counted.
    public let symbols: Int
    /// Whether these are the part of the text that the network was trained on, and its validation part was left out.
    public let isTrainingPart: Bool

    /// Counts the n-grams of a text, as the symbols of a model. Of the very text that the model was trained on, they are those
    /// of the training part.
    ///
    /// - Parameters:
    ///   - corpus: the text whose n-grams are counted, as the model reads it.
    ///   - model: whose symbols are counted.
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

    /// The score of a text under n-grams of 1 symbol, of 2, and so on, by the rules a network's score goes by.
    public func evaluate(_ corpus: Corpus, state: StatePolicy = .file) -> [Likelihood] {
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        return counts.nats(of: text).map { Likelihood(nats: $0, tokens: text.count) }
    }
}
