import LinearAlgebra
import RealModule
import Tokenization

/// Writes text, one symbol at a time, in the style of what a model was trained on.
public final class TextGenerator: IteratorProtocol, Sequence {
    /// A symbol that was generated.
    public struct Element: Sendable, Equatable {
        public let id: Int
        public let symbol: Symbol
        /// ln p at temperature 1 and without filters, under the weights that generation reads (rounded to bfloat16).
        public let logProbability: Double
    }

    /// ln p of the end of the record, once it is drawn: the text is over then. Only for models that were trained on records.
    public private(set) var endLogProbability: Double?

    private let model: LanguageModel
    private let strategy: SamplingStrategy
    private let penalty: RepetitionPenalty
    private let network: Network<Float>
    private let shard: Shard<Float>
    /// The logits of the symbols that may be drawn, and what the strategy makes of them: memory that is used again.
    private var logits: [Float]
    private var distribution = Distribution()
    private var generator: SplitMix64
    /// The last symbols read, prompt included, at most as many as the penalty reaches.
    private var recent: [Int] = []
    /// The row of the logits that predict the next symbol.
    private var row = 0

    /// - Parameters:
    ///   - prompt: text to go on from; its unknown symbols are read as `unknown`.
    ///   - seed, stream: name the random numbers; equal names give equal texts.
    /// - Throws: `TextError` if the prompt cannot be cut into symbols.
    init(
        _ model: LanguageModel, prompt: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty, seed: UInt64,
        stream: UInt64
    ) throws(TextError) {
        self.model = model
        self.strategy = strategy
        self.penalty = penalty
        network = model.compactNetwork
        let vocabulary = model.vocabulary
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        let ids = try tokenizer.symbols(of: prompt, path: "the prompt").map { vocabulary.id(of: $0) }
        generator = SplitMix64(seed: seed, stream: Stream.sampling, stream)
        shard = Shard(model.configuration, lanes: 1, steps: Swift.max(1, Swift.min(64, ids.count + 1)), learns: false)
        logits = [Float](repeating: 0, count: vocabulary.count)
        let inputs = [vocabulary.boundary] + ids
        for first in stride(from: 0, to: inputs.count, by: shard.capacity) {
            read(inputs[first..<Swift.min(first + shard.capacity, inputs.count)])
        }
        recent = Array(ids.suffix(RepetitionPenalty.reach))
    }

    private func read(_ inputs: some Collection<Int>) {
        for (step, id) in inputs.enumerated() { shard.ids.view[0, step] = Int32(id) }
        shard.forward(network, steps: inputs.count)
        shard.advance(steps: inputs.count)
        row = inputs.count - 1
    }

    /// The next symbol; nil at the end of a record. Without records generation has no end of its own, and the special
    /// symbols are never drawn.
    public func next() -> Element? {
        let vocabulary = model.vocabulary
        guard !vocabulary.symbols.isEmpty, endLogProbability == nil else { return nil }
        shard.logits.view.rows(row..<row + 1).read(into: &logits)
        var highest = -Float.infinity
        for logit in logits { highest = Swift.max(highest, logit) }
        var sum = 0.0
        for logit in logits { sum += .exp(Double(logit - highest)) }
        distribution.set(
            logits.prefix(vocabulary.symbols.count + (vocabulary.records == nil ? 0 : 1)), strategy: strategy,
            penalty: penalty,
            recent: penalty == .none ? [] : Set(recent))
        let id = distribution.draw(using: &generator)
        let logProbability = Double(logits[id] - highest) - .log(sum)
        if id == vocabulary.boundary {
            endLogProbability = logProbability
            return nil
        }
        if penalty != .none {
            recent.append(id)
            if recent.count > RepetitionPenalty.reach { recent.removeFirst() }
        }
        read(CollectionOfOne(id))
        return Element(id: id, symbol: vocabulary.symbols[id], logProbability: logProbability)
    }
}
