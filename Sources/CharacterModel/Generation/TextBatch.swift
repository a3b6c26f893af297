import Concurrency
import RecurrentNetwork

/// Generates several texts of one model together: a symbol of each at a time, which reads the weights once for many texts. This
/// makes 32 texts several times as fast as one after the other.
///
///     let batch = TextBatch(model)
///     var texts = try (0..<32).map { try model.generator(strategy: .greedy, seed: 1, stream: $0) }
///     while !texts.isEmpty {
///         let elements = batch.next(texts)
///         texts = zip(texts, elements).filter { $1 != nil }.map(\.0)
///     }
///
/// Texts may join and leave between two symbols: each call says which ones go on. A text never depends on the others, and
/// is the one that its generator makes alone.
public final class TextBatch {
    /// Texts in one matrix: fewer are limited by reading the weights, more would not be faster.
    private static let lanes = 4...16

    private let model: LanguageModel
    private let workers: Workers
    private var parts: [Part] = []

    /// - Parameter threads: nil for all cores.
    public init(_ model: LanguageModel, threads: Int? = nil) {
        self.model = model
        workers = Workers(count: max(1, threads ?? Workers.cores))
    }

    /// The next symbol of each text; nil where it has ended (see ``TextGenerator/next()``).
    ///
    /// - Parameter texts: different generators of this model.
    public func next(_ texts: [TextGenerator]) -> [TextGenerator.Element?] {
        guard !texts.isEmpty else { return [] }
        precondition(texts.allSatisfy { $0.isOf(model) }, "a text of another model")
        precondition(Set(texts.map(ObjectIdentifier.init)).count == texts.count, "a text cannot go on twice")
        // The threads have equal shares, but no fewer texts than are about as fast as one.
        let needed = (texts.count + Self.lanes.upperBound - 1) / Self.lanes.upperBound
        let shared = (needed + workers.count - 1) / workers.count * workers.count
        let count = min(max(1, texts.count / Self.lanes.lowerBound), shared)
        while parts.count < count { parts.append(Part()) }
        // Each task has its own part and texts.
        nonisolated(unsafe) let (texts, parts) = (texts, parts)
        workers.forEach(count) { [model] index in
            parts[index].advance(
                texts[index * texts.count / count..<(index + 1) * texts.count / count], model.configuration)
        }
        return parts.prefix(count).flatMap(\.elements)
    }
}

/// Some of the texts, on one thread at a time.
private final class Part {
    /// Of one step, by their lanes.
    private var shards: [Int: Shard<Float>] = [:]
    private(set) var elements: [TextGenerator.Element?] = []

    func advance(_ texts: ArraySlice<TextGenerator>, _ model: ModelConfiguration) {
        elements = texts.map { $0.draw() }
        let drawn = zip(texts, elements).compactMap { text, element in element.map { (text, $0.id) } }
        // Those with exact weights and those with rounded ones.
        for isExact in [false, true] { read(drawn.filter { $0.0.state.isExact == isExact }, model) }
    }

    private func read(_ drawn: [(TextGenerator, Int)], _ model: ModelConfiguration) {
        guard let network = drawn.first?.0.state.network else { return }
        let shard = shards[drawn.count] ?? Shard(model, lanes: drawn.count, steps: 1, learns: false)
        shards[drawn.count] = shard
        for (lane, (text, id)) in drawn.enumerated() { text.state.enter(shard, lane: lane, with: id) }
        shard.forward(network, steps: 1)
        for (lane, (text, id)) in drawn.enumerated() { text.state.leave(shard, lane: lane, with: id) }
    }
}
