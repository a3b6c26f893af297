import RecurrentNetwork
import Tokenization

/// Scores a text a slice at a time, beginning at any symbol whose state is known: for texts that are scored while they are
/// written.
///
///     let scorer = try TextScorer(model.corpus(reading: [.text("Nevermore")]), of: model)
///     for score in scorer.next(9) { print(score.symbol?.text ?? "", score.nats) }
///
/// The figures come from the full-precision weights. They agree with those of ``LanguageModel/evaluate(_:state:threads:)`` to
/// single precision.
public final class TextScorer {
    /// The score of a symbol.
    public struct Score: Sendable {
        /// nil for the end of a record.
        public var symbol: Symbol?
        /// -ln p, including the spelling of an unknown symbol.
        public var nats: Double
        public var prediction: Prediction
    }

    private let text: EncodedText
    private let corpus: Corpus
    /// The text, by id of the vocabulary.
    public let ids: [Int]
    /// After the symbols before ``position``.
    public private(set) var state: TextState
    /// The symbol that is scored next.
    public private(set) var position = 0

    /// - Parameter corpus: one text, read by ``LanguageModel/corpus(reading:format:cache:progress:)``.
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts.
    public init(_ corpus: Corpus, of model: LanguageModel) throws(EvaluationError) {
        try model.vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: model.vocabulary)
        var ids: [Int] = []
        text.forEachSymbol(in: 0..<text.count) { _, symbol in ids.append(Int(text.id(ofSymbol: symbol))) }
        (self.text, self.corpus, self.ids) = (text, corpus, ids)
        state = TextState(model, isExact: true)
    }

    /// Where the part of the text begins that the state at a position depends on: the record or the text.
    public func beginning(of position: Int) -> Int {
        guard text.restarts else { return 0 }
        var start = min(max(0, position), ids.count)
        while start > 0 && !text.isFresh(start) { start -= 1 }
        return start
    }

    /// Goes on at another position.
    ///
    /// - Parameter state: one after the symbols from ``beginning(of:)`` to the position.
    public func move(to position: Int, _ state: TextState) {
        precondition((0...ids.count).contains(position) && state.isExact, "no such position, or a rounded state")
        (self.position, self.state) = (position, state)
    }

    /// Scores some symbols, fewer at the end.
    public func next(_ count: Int) -> [Score] {
        var scores: [Score] = []
        let end = min(ids.count, position + max(0, count))
        while position < end {
            if position > 0 && text.isFresh(position) { state.restart() }
            var limit = position + 1
            while limit < end && !text.isFresh(limit) { limit += 1 }
            let start = position
            state.read(ids[start..<limit]) { index, nats, prediction in
                let symbol = text.symbol(at: start + index) ?? 0
                scores.append(
                    Score(
                        symbol: symbol == Corpus.endOfRecord ? nil : corpus.symbols[Int(symbol)],
                        nats: nats + text.spelling(ofSymbol: symbol), prediction: prediction))
            }
            position = limit
        }
        return scores
    }
}
