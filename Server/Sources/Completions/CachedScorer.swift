import CharacterModel
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

    /// The scores of a text's symbols from some symbol on.
    ///
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts; `CancellationError`.
    func score(_ corpus: Corpus, from start: Int) async throws -> [TextScorer.Score] {
        let scorer = try TextScorer(corpus, of: model)
        let start = min(start, scorer.ids.count)
        var beginning = scorer.beginning(of: start)
        if let known = cache.find(scorer.ids[beginning..<start]) {
            scorer.move(to: beginning + known.count, known.state)
        } else {
            scorer.move(to: beginning, TextState(model, isExact: true))
        }
        var scores: [TextScorer.Score] = []
        while scorer.position < scorer.ids.count {
            let before = scorer.position
            let count = min(Self.slice, before < start ? start - before : .max)
            let part = scorer.next(count)
            if before >= start { scores += part }
            beginning = scorer.beginning(of: scorer.position)
            let isEnd = scorer.position == scorer.ids.count || scorer.position == start
            if isEnd || scorer.position / Self.interval != before / Self.interval {
                cache.insert(Array(scorer.ids[beginning..<scorer.position]), scorer.state)
            }
            await Task.yield()
            try Task.checkCancellation()
        }
        return scores
    }
}
