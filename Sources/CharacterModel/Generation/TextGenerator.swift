import LinearAlgebra
import Randomness
import RealModule
import RecurrentNetwork
import Tokenization

/// Writes text, one symbol at a time, in the style of what a model was trained on.
public final class TextGenerator: IteratorProtocol, Sequence {
    /// A symbol that was generated.
    public struct Element: Sendable, Equatable {
        public let id: Int
        public let symbol: Symbol
        /// ln p at temperature 1 and without filters, under the weights that generation reads (rounded to bfloat16, or exact).
        public let logProbability: Double
    }

    /// ln p of the end of the record, once it is drawn: the text is over then. Only for models that were trained on records.
    public private(set) var endLogProbability: Double?

    private let model: LanguageModel
    private let strategy: SamplingStrategy
    private let penalty: RepetitionPenalty
    private let mirostat: Mirostat?
    private let rules: SymbolRules
    private let network: Network<Float>
    private let shard: Shard<Float>
    /// The logits of the symbols that may be drawn, and what the strategy makes of them: memory that is used again.
    private var logits: [Float]
    private var distribution = Distribution()
    private var generator: SplitMix64
    /// The last symbols read, prompt included, at most as many as the penalty and the rules reach.
    private var recent: [Int] = []
    /// How many bits of surprise a symbol may have.
    private var surpriseLimit: Double?
    /// The row of the logits that predict the next symbol.
    private var row = 0

    /// - Parameters:
    ///   - prompt: text to go on from; its unknown symbols are read as `unknown`.
    ///   - seed, stream, draw: name the random numbers; equal names give equal texts.
    ///   - isExact: whether the weights are read as they are.
    /// - Throws: `TextError` if the prompt cannot be cut into symbols.
    init(
        _ model: LanguageModel, prompt: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty,
        mirostat: Mirostat?, rules: SymbolRules, seed: UInt64, stream: UInt64, draw: UInt64,
        isExact: Bool
    ) throws(TextError) {
        self.model = model
        self.strategy = strategy
        self.penalty = penalty
        self.mirostat = mirostat
        self.rules = rules
        surpriseLimit = mirostat?.firstLimit
        network = isExact ? model.network : model.compactNetwork
        let vocabulary = model.vocabulary
        generator =
            draw == 0
            ? SplitMix64(seed: seed, stream: RandomStream.sampling, stream)
            : SplitMix64(seed: seed, stream: RandomStream.sampling, stream, draw)
        let steps = Swift.max(1, Swift.min(64, prompt.count + 1))
        shard = Shard(model.configuration, lanes: 1, steps: steps, learns: false)
        logits = [Float](repeating: 0, count: vocabulary.count)
        read(CollectionOfOne(vocabulary.boundary))
        try read(prompt)
    }

    /// Goes on from a text as if it had been generated; after the end of a record, from a new beginning.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func read(_ text: [UInt8]) throws(TextError) {
        let vocabulary = model.vocabulary
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        let ids = try tokenizer.symbols(of: text, path: "the prompt").map { vocabulary.id(of: $0) }
        if endLogProbability != nil {
            endLogProbability = nil
            shard.clearState()
            recent = []
            read(CollectionOfOne(vocabulary.boundary))
        }
        for first in stride(from: 0, to: ids.count, by: shard.capacity) {
            read(ids[first..<Swift.min(first + shard.capacity, ids.count)])
        }
        remember(ids)
    }

    private func remember(_ ids: some Collection<Int>) {
        let reach = Swift.max(penalty == .none ? 0 : penalty.reach, rules.reach)
        guard reach > 0 else { return }
        recent += ids.suffix(reach)
        recent.removeFirst(Swift.max(0, recent.count - reach))
    }

    private func read(_ inputs: some Collection<Int>) {
        for (step, id) in inputs.enumerated() { shard.input.ids.view[0, step] = Int32(id) }
        shard.forward(network, steps: inputs.count)
        shard.advance(steps: inputs.count)
        row = inputs.count - 1
    }

    /// ln p of each symbol that may come next, by id, at temperature 1 and without filters; V of them.
    public var logProbabilities: [Double] {
        var logits = [Float](repeating: 0, count: model.vocabulary.count)
        shard.logits.view.rows(row..<row + 1).read(into: &logits)
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0.0) { $0 + .exp(Double($1) - highest) }
        return logits.map { Double($0) - highest - .log(sum) }
    }

    /// The next symbol; nil at the end of a record, or where every symbol is banned. Without records generation has no end of its own, and the special
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
            penalty: penalty, recent: penalty == .none ? [] : Set(recent.suffix(penalty.reach)),
            biases: rules.biases, banned: rules.banned(after: recent), surpriseLimit: surpriseLimit)
        guard !distribution.candidates.isEmpty else { return nil }
        let id = distribution.draw(using: &generator)
        if let mirostat, let limit = surpriseLimit {
            surpriseLimit = mirostat.limit(after: limit, drawn: distribution.probability(of: id))
        }
        let logProbability = Double(logits[id] - highest) - .log(sum)
        if id == vocabulary.boundary {
            endLogProbability = logProbability
            return nil
        }
        remember(CollectionOfOne(id))
        read(CollectionOfOne(id))
        return Element(id: id, symbol: vocabulary.symbols[id], logProbability: logProbability)
    }
}
