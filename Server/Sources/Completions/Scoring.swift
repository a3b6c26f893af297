import CharacterModel
import Synchronization
import Tokenization

/// What `/v1/perplexity` says of a text.
public struct ScoredText: Encodable, Sendable {
    public struct Scored: Encodable, Sendable {
        public var text: String
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
    public var symbols: Int
    public var natsPerSymbol: Double
    public var bitsPerCharacter: Double
    public var perplexity: Double
    /// The weights that the figures come from.
    public let weights = "exact"
    public var tokens: [Scored]

    enum CodingKeys: String, CodingKey {
        case model, symbols, perplexity, weights, tokens
        case natsPerSymbol = "nats_per_symbol"
        case bitsPerCharacter = "bits_per_character"
    }
}

extension CompletionService {
    /// Scores a text.
    ///
    /// - Throws: `APIError`; `EvaluationError.cancelled` if the task is cancelled.
    public func score(_ body: JSONValue) async throws -> ScoredText {
        var fields = try Fields(body)
        let name = try fields.string("model")
        guard let text = try fields.string("text") else {
            throw APIError(.badRequest, "there is no text", parameter: "text")
        }
        try fields.end()
        let lease = try await table.lease(name)
        let model = lease.scheduler.model
        let corpus: Corpus
        do { corpus = try model.corpus(reading: [.bytes(Array(text.utf8), name: "text")]) } catch {
            throw APIError(.badRequest, "\(error)", parameter: "text")
        }
        guard corpus.count <= limits.scored else {
            throw APIError("text", is: "\(corpus.count) symbols long", mustBe: "at most \(limits.scored)")
        }
        guard inFlight.add(corpus.count, limit: limits.scoredAtOnce) else {
            throw APIError(.tooMany, "too many texts are being scored; try again later")
        }
        defer { inFlight.remove(corpus.count) }
        let isCancelled = Flag()
        return try await withTaskCancellationHandler {
            try await Task.detached { try Self.score(corpus, model, lease.name, isCancelled) }.value
        } onCancel: {
            isCancelled.raise()
        }
    }

    private static func score(
        _ corpus: Corpus, _ model: LanguageModel, _ name: String, _ isCancelled: Flag
    ) throws -> ScoredText {
        var tokens: [ScoredText.Scored] = []
        let symbols = model.vocabulary.symbols
        func text(_ id: Int32) -> String { symbols.indices.contains(Int(id)) ? symbols[Int(id)].text : "" }
        let evaluation = try model.evaluate(
            corpus, threads: 1, isCancelled: { isCancelled.isRaised },
            perSymbol: { score in
                var likeliest: [ScoredText.Likely] = []
                for index in 0..<Prediction.candidates where score.prediction.likeliest[index].id >= 0 {
                    let candidate = score.prediction.likeliest[index]
                    likeliest.append(.init(text: text(candidate.id), probability: Double(candidate.probability)))
                }
                tokens.append(
                    .init(
                        text: score.symbol?.text ?? "", nats: score.nats, rank: score.prediction.rank,
                        likeliest: likeliest))
            })
        let total = evaluation.total
        return ScoredText(
            model: name, symbols: total.likelihood.tokens, natsPerSymbol: total.likelihood.nats / Double(max(1, total.likelihood.tokens)),
            bitsPerCharacter: total.bitsPerCharacter, perplexity: total.likelihood.perplexity, tokens: tokens)
    }
}

/// A flag that is raised once.
final class Flag: Sendable {
    private let raised = Atomic(false)
    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
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
