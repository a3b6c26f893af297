import LinearAlgebra
import Randomness
import RealModule
import RecurrentNetwork
import Tokenization

/// Generates text, one symbol at a time, in the style of the model's training text.
public final class TextGenerator: IteratorProtocol, Sequence {
    /// A symbol that was generated.
    public struct Element: Sendable, Equatable {
        public let id: Int
        public let symbol: Symbol
        /// ln p at temperature 1 and without filters, under the weights used for generation (rounded to bfloat16, or
        /// exact).
        public let logProbability: Double
    }

    /// ln p of the end of the record, once it is drawn and the text is over. Only for models trained on records.
    public private(set) var endLogProbability: Double?

    private let model: LanguageModel
    private let strategy: SamplingStrategy
    private let penalty: RepetitionPenalty
    private let mirostat: Mirostat?
    private let rules: SymbolRules
    /// Whether the weights, and what they are multiplied by, are used at full precision.
    let isExact: Bool
    let network: Network<Float>
    private let seed: UInt64
    /// The network's states after what was read, and its logits of the next symbol.
    private let states: LaneStates<Float>
    private var networkLogits: [Float]
    /// The last symbols read, of which n-grams consist; the last one first.
    private var before: [Int]
    /// Reads one symbol at a time; made when it is needed.
    private var reader: Shard<Float>?
    /// The logits of the symbols that may be drawn, and the resulting distribution. Their memory is reused.
    private var logits: [Float]
    private var distribution = Distribution()
    private var generator: SplitMix64
    /// The last symbols read, including the prompt, limited to the reach of the penalty and the rules.
    private var recent: [Int] = []
    /// The maximum surprise of a symbol, in bits.
    private var surpriseLimit: Double?
    /// Mixes counts into the logits, unless a run of this length was copied from the counted text.
    private let mixer: CountMixer?
    private let longestCopy: Int

    /// - Parameters:
    ///   - prompt: the text to continue; its unknown symbols are read as `unknown`.
    ///   - seed, stream, draw: seed the random numbers; the same values give the same text.
    ///   - isExact: whether the weights are used at full precision.
    ///   - longestCopy: how many symbols in a row may be copied from the counted text before the counts are left out.
    /// - Throws: `TextError` if the prompt cannot be cut into symbols.
    init(
        _ model: LanguageModel, prompt: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty,
        mirostat: Mirostat?, rules: SymbolRules, seed: UInt64, stream: UInt64, draw: UInt64,
        isExact: Bool, longestCopy: Int?
    ) throws(TextError) {
        (self.isExact, self.seed) = (isExact, seed)
        self.model = model
        mixer = model.mixture.map { CountMixer($0, lanes: 1) }
        self.longestCopy = longestCopy ?? .max
        self.strategy = strategy
        self.penalty = penalty
        self.mirostat = mirostat
        self.rules = rules
        surpriseLimit = mirostat?.firstLimit
        network = isExact ? model.network : model.roundedNetwork
        let vocabulary = model.vocabulary
        generator = Self.randomNumbers(seed: seed, stream: stream, draw: draw)
        states = LaneStates(model.configuration, lanes: 1)
        logits = [Float](repeating: 0, count: vocabulary.count)
        networkLogits = logits
        before = []
        read(CollectionOfOne(vocabulary.boundary))
        try read(prompt)
    }

    /// Another text that goes on from the same place, with the random numbers of a stream from their beginning.
    package func fork(stream: UInt64, draw: UInt64) -> TextGenerator {
        TextGenerator(self, Self.randomNumbers(seed: seed, stream: stream, draw: draw))
    }

    private init(_ other: TextGenerator, _ randomNumbers: SplitMix64) {
        (model, network, isExact, seed) = (other.model, other.network, other.isExact, other.seed)
        (strategy, penalty, mirostat, rules) = (other.strategy, other.penalty, other.mirostat, other.rules)
        (surpriseLimit, recent, endLogProbability) = (other.surpriseLimit, other.recent, other.endLogProbability)
        (mixer, longestCopy) = (other.mixer?.copy(), other.longestCopy)
        (states, logits, networkLogits) = (other.states.copy(), other.logits, other.networkLogits)
        before = other.before
        generator = randomNumbers
    }

    private static func randomNumbers(seed: UInt64, stream: UInt64, draw: UInt64) -> SplitMix64 {
        draw == 0
            ? SplitMix64(seed: seed, stream: RandomStream.sampling, stream)
            : SplitMix64(seed: seed, stream: RandomStream.sampling, stream, draw)
    }

    func isOf(_ model: LanguageModel) -> Bool { self.model.parameters === model.parameters }

    /// Reads a text as if it had been generated. After the end of a record, starts a new one first.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func read(_ text: [UInt8]) throws(TextError) {
        let vocabulary = model.vocabulary
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        let ids = try tokenizer.symbols(of: text, path: "the prompt").map { vocabulary.id(of: $0) }
        if endLogProbability != nil {
            endLogProbability = nil
            states.clear()
            before = []
            mixer?.reset()
            recent = []
            read(CollectionOfOne(vocabulary.boundary))
        }
        guard !ids.isEmpty else { return }
        let shard = Shard<Float>(model.configuration, lanes: 1, steps: Swift.min(64, ids.count), learns: false)
        for first in stride(from: 0, to: ids.count, by: shard.capacity) {
            read(ids[first..<Swift.min(first + shard.capacity, ids.count)], in: shard)
        }
        remember(ids)
    }

    private func remember(_ ids: some Collection<Int>) {
        let reach = Swift.max(penalty == .none ? 0 : penalty.reach, rules.reach)
        guard reach > 0 else { return }
        recent += ids.suffix(reach)
        recent.removeFirst(Swift.max(0, recent.count - reach))
    }

    private func read(_ input: CollectionOfOne<Int>) {
        let reader = reader ?? Shard(model.configuration, lanes: 1, steps: 1, learns: false)
        self.reader = reader
        read(input, in: reader)
    }

    private func read(_ inputs: some Collection<Int>, in shard: Shard<Float>) {
        for (step, id) in inputs.enumerated() { shard.input.ids.view[0, step] = Int32(id) }
        shard.input.setBefore(before, lane: 0)
        shard.begin(with: states)
        shard.forward(network, steps: inputs.count)
        shard.end(inputs.count, into: states)
        take(shard.logits.view.rows(inputs.count - 1..<inputs.count), after: inputs)
    }

    /// Takes what the network says of the symbol after some.
    private func take(_ logits: MatrixView<Float>, after inputs: some Collection<Int>) {
        logits.read(into: &networkLogits)
        let reach = model.configuration.ngramLengths
        if reach > 0 { before = Array((inputs.suffix(reach).reversed() + before).prefix(reach)) }
        if let mixer { for id in inputs { mixer.read(Int32(id)) } }
    }

    private func readLogits(into logits: inout [Float]) {
        logits.withUnsafeMutableBufferPointer { target in
            networkLogits.withUnsafeBufferPointer { target.baseAddress!.update(from: $0.baseAddress!, count: $0.count) }
        }
        if let mixer, mixer.copied < longestCopy { mixer.mix(into: &logits) }
    }

    /// ln p of each of the V possible next symbols, by id, at temperature 1 and without filters.
    public var logProbabilities: [Double] {
        var logits = [Float](repeating: 0, count: model.vocabulary.count)
        readLogits(into: &logits)
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0.0) { $0 + .exp(Double($1) - highest) }
        return logits.map { Double($0) - highest - .log(sum) }
    }

    /// The next symbol; nil at the end of a record, or if every symbol is banned. Without records generation never ends
    /// by itself. The special symbols are never drawn.
    public func next() -> Element? {
        guard let element = draw() else { return nil }
        read(CollectionOfOne(element.id))
        return element
    }

    /// Draws the next symbol, which must then be read.
    func draw() -> Element? {
        let vocabulary = model.vocabulary
        guard !vocabulary.symbols.isEmpty, endLogProbability == nil else { return nil }
        readLogits(into: &logits)
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
        return Element(id: id, symbol: vocabulary.symbols[id], logProbability: logProbability)
    }

    // MARK: Beside others

    /// Puts a drawn symbol and the states before it into a lane of a shard of one step.
    func enter(_ shard: Shard<Float>, lane: Int, with id: Int) {
        shard.input.ids.view[0, lane] = Int32(id)
        shard.input.setBefore(before, lane: lane)
        shard.begin(with: states, lane: lane)
    }

    /// Takes the states and the logits after the step.
    func leave(_ shard: Shard<Float>, lane: Int, with id: Int) {
        shard.end(1, into: states, lane: lane)
        take(shard.logits.view.rows(lane..<lane + 1), after: CollectionOfOne(id))
    }
}
