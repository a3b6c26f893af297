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

    private let strategy: SamplingStrategy
    private let penalty: RepetitionPenalty
    private let mirostat: Mirostat?
    private let rules: SymbolRules
    private let seed: UInt64
    /// After what was read and generated.
    public let state: TextState
    /// The logits of the symbols that may be drawn, and the resulting distribution. Their memory is reused.
    private var logits: [Float]
    private var distribution = Distribution()
    private var generator: SplitMix64
    /// The last symbols read, including the prompt, limited to the reach of the penalty and the rules.
    private var recent: [Int] = []
    /// The maximum surprise of a symbol, in bits.
    private var surpriseLimit: Double?
    /// Counts are left out after a run of this length was copied from the counted text.
    private let longestCopy: Int

    private var model: LanguageModel { state.model }

    /// Generates after a state, which is read on.
    ///
    /// - Parameters:
    ///   - symbols: what the state has read, by id, as far as a penalty or rules may look back.
    ///   - seed, stream, draw: seed the random numbers; the same values give the same text.
    ///   - longestCopy: how many symbols in a row may be copied from the counted text before the counts are left out; nil: any number.
    public init(
        after state: TextState, symbols: some Collection<Int>, strategy: SamplingStrategy,
        penalty: RepetitionPenalty = .none, mirostat: Mirostat? = nil, rules: SymbolRules = .none, seed: UInt64,
        stream: UInt64 = 0, draw: UInt64 = 0, longestCopy: Int? = nil
    ) {
        (self.state, self.seed, self.strategy) = (state, seed, strategy)
        (self.penalty, self.mirostat, self.rules) = (penalty, mirostat, rules)
        self.longestCopy = longestCopy ?? .max
        surpriseLimit = mirostat?.firstLimit
        generator = Self.randomNumbers(seed: seed, stream: stream, draw: draw)
        logits = [Float](repeating: 0, count: state.model.vocabulary.count)
        remember(symbols)
    }

    /// Another text that goes on from the same place, with the random numbers of a stream from their beginning.
    package func fork(stream: UInt64, draw: UInt64) -> TextGenerator {
        TextGenerator(self, Self.randomNumbers(seed: seed, stream: stream, draw: draw))
    }

    private init(_ other: TextGenerator, _ randomNumbers: SplitMix64) {
        (state, seed, longestCopy) = (other.state.copy(), other.seed, other.longestCopy)
        (strategy, penalty, mirostat, rules) = (other.strategy, other.penalty, other.mirostat, other.rules)
        (surpriseLimit, recent, endLogProbability) = (other.surpriseLimit, other.recent, other.endLogProbability)
        (logits, generator) = (other.logits, randomNumbers)
    }

    private static func randomNumbers(seed: UInt64, stream: UInt64, draw: UInt64) -> SplitMix64 {
        draw == 0
            ? SplitMix64(seed: seed, stream: RandomStream.sampling, stream)
            : SplitMix64(seed: seed, stream: RandomStream.sampling, stream, draw)
    }

    func isOf(_ model: LanguageModel) -> Bool { state.model.parameters === model.parameters }

    /// Reads a text as if it had been generated. After the end of a record, starts a new one first.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func read(_ text: [UInt8]) throws(TextError) {
        let ids = try model.symbols(of: text)
        if endLogProbability != nil {
            (endLogProbability, recent) = (nil, [])
            state.restart()
        }
        state.read(ids)
        remember(ids)
    }

    private func remember(_ ids: some Collection<Int>) {
        let reach = Swift.max(penalty == .none ? 0 : penalty.reach, rules.reach)
        guard reach > 0 else { return }
        recent += ids.suffix(reach)
        recent.removeFirst(Swift.max(0, recent.count - reach))
    }

    /// ln p of each of the V possible next symbols, by id, at temperature 1 and without filters.
    public var logProbabilities: [Double] { state.logProbabilities(longestCopy: longestCopy) }

    /// The next symbol; nil at the end of a record, or if every symbol is banned. Without records generation never ends
    /// by itself. The special symbols are never drawn.
    public func next() -> Element? {
        guard let element = draw() else { return nil }
        state.read(element.id)
        return element
    }

    /// Draws the next symbol, which must then be read.
    func draw() -> Element? {
        let vocabulary = model.vocabulary
        guard !vocabulary.symbols.isEmpty, endLogProbability == nil else { return nil }
        state.readLogits(into: &logits, longestCopy: longestCopy)
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
}
