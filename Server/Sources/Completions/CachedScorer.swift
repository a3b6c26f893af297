import CharacterModel
import Glibc
import Tokenization

/// Scores texts with one model; what a text shares with earlier ones is not read again.
///
/// Requests take turns: each reads a slice of its text.
actor CachedScorer {
    private let model: LanguageModel
    private var cache = PrefixCache(capacity: 256)
    private static let slice = 64
    /// Symbols after which a state is kept.
    private static let interval = 256

    init(_ model: LanguageModel) { self.model = model }

    /// The scores of a text's symbols from some symbol on, and the likeliest symbols after it.
    ///
    /// - Parameter isOpen: whether the last record may go on; its end is then not scored.
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts; `CancellationError`.
    func score(_ corpus: Corpus, from start: Int, isOpen: Bool) async throws -> (
        scores: [TextScorer.Score], next: [(id: Int, probability: Double)]
    ) {
        let scorer = try TextScorer(corpus, of: model)
        let hasEnd = scorer.ids.last == model.vocabulary.boundary
        let end = scorer.ids.count - (isOpen && hasEnd ? 1 : 0)
        let start = min(start, end)
        var beginning = scorer.beginning(of: start)
        if let known = cache.find(scorer.ids[beginning..<start]) {
            scorer.move(to: beginning + known.count, known.state)
        } else {
            scorer.move(to: beginning, TextState(model, isExact: true))
        }
        var scores: [TextScorer.Score] = []
        while scorer.position < end {
            let before = scorer.position
            let count = min(Self.slice, (before < start ? start : end) - before)
            let part = scorer.next(count)
            if before >= start { scores += part }
            beginning = scorer.beginning(of: scorer.position)
            let isEnd = scorer.position == end || scorer.position == start
            if isEnd || scorer.position / Self.interval != before / Self.interval {
                cache.insert(Array(scorer.ids[beginning..<scorer.position]), scorer.state)
            }
            await Task.yield()
            try Task.checkCancellation()
        }
        // `unknown` cannot be written.
        let isFresh = end > 0 && beginning == end
        let state = isFresh ? TextState(model, isExact: true) : scorer.state
        let after = state.logProbabilities.enumerated().filter { $0.offset != model.vocabulary.unknown }
        let next = after.sorted { $0.element > $1.element }.prefix(Prediction.candidates)
        return (scores, next.map { ($0.offset, exp($0.element)) })
    }
}
