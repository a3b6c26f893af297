import CharacterModel
import Synchronization
import Tokenization

/// What `/v1/perplexity` says of a text.
public struct ScoredText: Encodable, Sendable {
    public struct Scored: Encodable, Sendable {
        public var text: String
        /// Bytes of the symbol in UTF-8; of the end of a record, none.
        public var bytes: Int
        /// -ln p.
        public var nats: Double
        /// 1 for the likeliest symbol.
        public var rank: Int
        public var likeliest: [Likely]
    }

    public struct Likely: Encodable, Sendable {
        public var text: String
        public var probability: Double
    }

    public var model: String
    /// The symbol that is the first of those told.
    public var first: Int
    public var symbols: Int
    /// nil if no symbol is told.
    public var natsPerSymbol: Double?
    public var perplexity: Double?
    /// The weights that the figures come from.
    public let weights = "exact"
    public var tokens: [Scored]
    /// The likeliest symbols after the text.
    public var next: [Likely]

    enum CodingKeys: String, CodingKey {
        case model, first, symbols, perplexity, weights, tokens, next
        case natsPerSymbol = "nats_per_symbol"
    }
}

extension CompletionService {
    /// Scores a text.
    ///
    /// - Throws: `APIError`; `CancellationError` if the task is cancelled.
    public func score(_ body: JSONValue) async throws -> ScoredText {
        var fields = try Fields(body)
        let name = try fields.string("model")
        guard let text = try fields.string("text"), !text.isEmpty else {
            throw APIError(.badRequest, "there is no text", parameter: "text")
        }
        let skip = try fields.integer("skip", in: 0...limits.scored) ?? 0
        try fields.end()
        let lease = try await table.lease(name)
        let corpus: Corpus
        do { corpus = try lease.model.corpus(reading: [.bytes(Array(text.utf8), name: "text")]) } catch {
            throw APIError(.badRequest, "\(error)", parameter: "text")
        }
        guard corpus.count <= limits.scored else {
            throw APIError("text", is: "\(corpus.count) symbols long", mustBe: "at most \(limits.scored)")
        }
        guard inFlight.add(corpus.count, limit: limits.scoredAtOnce) else {
            throw APIError(.tooMany, "too many texts are being scored; try again later")
        }
        defer { inFlight.remove(corpus.count) }
        let separator = lease.model.vocabulary.records?.separatorText
        let isOpen = separator.map { $0.isEmpty || !text.hasSuffix($0) } ?? false
        do {
            let (scores, next) = try await lease.resident.scorer.score(corpus, from: skip, isOpen: isOpen)
            return Self.told(scores, next, from: min(skip, corpus.count), lease)
        } catch let error as EvaluationError {
            throw APIError(.badRequest, "\(error)", parameter: "text")
        }
    }

    private static func told(
        _ scores: [TextScorer.Score], _ next: [(id: Int, probability: Double)], from first: Int,
        _ lease: ModelTable.Lease
    ) -> ScoredText {
        let vocabulary = lease.model.vocabulary
        let separator = vocabulary.records?.separatorText ?? ""
        func text(_ id: Int) -> String {
            if vocabulary.symbols.indices.contains(id) { return vocabulary.symbols[id].text }
            return id == vocabulary.boundary ? separator : "\u{FFFD}"
        }
        let tokens = scores.map { score in
            var likeliest: [ScoredText.Likely] = []
            for index in 0..<Prediction.candidates where score.prediction.likeliest[index].id >= 0 {
                let candidate = score.prediction.likeliest[index]
                likeliest.append(.init(text: text(Int(candidate.id)), probability: Double(candidate.probability)))
            }
            return ScoredText.Scored(
                text: score.symbol?.text ?? separator, bytes: score.symbol?.bytes.count ?? 0, nats: score.nats,
                rank: score.prediction.rank, likeliest: likeliest)
        }
        let likelihood =
            scores.isEmpty ? nil : Likelihood(nats: scores.reduce(0) { $0 + $1.nats }, tokens: scores.count)
        return ScoredText(
            model: lease.name, first: first, symbols: scores.count,
            natsPerSymbol: likelihood.map { $0.nats / Double(scores.count) }, perplexity: likelihood?.perplexity,
            tokens: tokens,
            next: next.map { .init(text: text($0.id), probability: $0.probability) })
    }
}

/// A number of things that are being worked on, with a limit.
final class Load: Sendable {
    private let count = Mutex(0)

    /// Whether there was room.
    func add(_ more: Int, limit: Int) -> Bool {
        count.withLock { count in
            guard count + more <= limit else { return false }
            count += more
            return true
        }
    }

    func remove(_ less: Int) { count.withLock { $0 -= less } }
}
