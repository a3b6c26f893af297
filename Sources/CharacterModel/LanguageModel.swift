import Concurrency
import LinearAlgebra
import RecurrentNetwork
import Synchronization
import Tokenization

/// A trained model, ready to generate and score text.
///
///     let model = try LanguageModel(contentsOf: "checkpoints/poems.safetensors")
///     let generator = try model.generator(prompt: "Once", strategy: .sampled(Temperature(0.8), keeping: .everything), seed: 1)
///     for element in generator.prefix(200) { print(element.symbol.text, terminator: "") }
public struct LanguageModel: Sendable {
    public let configuration: ModelConfiguration
    public let vocabulary: Vocabulary
    /// How the model was trained, if the checkpoint records it.
    public let training: TrainingRecord?
    package let parameters: Parameters<Float>
    /// The n-grams that are mixed with the network, if there are any.
    package let mixture: CountMixture?
    private let networks: Networks
    /// The network with full-precision weights.
    package var network: Network<Float> { networks.full() }
    /// The network with products in bfloat16, for generation.
    package var roundedNetwork: Network<Float> { networks.rounded() }

    /// Whether n-grams are mixed with the network.
    public var hasCounts: Bool { mixture != nil }

    /// Reads a checkpoint.
    ///
    /// - Throws: `CheckpointError`, with a case for each kind of failure.
    public init(contentsOf path: String) throws(CheckpointError) {
        self.init(try Checkpoint(contentsOf: path))
    }

    package init(_ checkpoint: Checkpoint) {
        self.init(
            checkpoint.configuration, checkpoint.vocabulary, checkpoint.parameters, checkpoint.training,
            checkpoint.mixture)
    }

    init(
        _ configuration: ModelConfiguration, _ vocabulary: Vocabulary, _ parameters: Parameters<Float>,
        _ training: TrainingRecord?, _ mixture: CountMixture? = nil
    ) {
        (self.configuration, self.vocabulary) = (configuration, vocabulary)
        (self.parameters, self.training, self.mixture) = (parameters, training, mixture)
        networks = Networks(configuration, parameters)
    }

    /// Writes the model as a checkpoint, atomically.
    ///
    /// - Throws: `CheckpointError.cannotCreate`, `CheckpointError.cannotWrite`; an existing file is then left
    ///   unchanged.
    public func write(to path: String) throws(CheckpointError) {
        try Checkpoint(
            configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: training,
            state: nil,
            mixture: mixture
        ).write(to: path)
    }

    /// A generator that continues a prompt.
    ///
    /// Generation is limited by memory bandwidth, so the weights, and what they are multiplied by, are rounded to bfloat16
    /// unless `isExact`. This changes the perplexity by less than 0.01 %, and log-probabilities in the third or fourth digit.
    ///
    /// - Parameters:
    ///   - prompt: unknown symbols are read as `unknown`; an empty prompt starts a new text.
    ///   - strategy: how the next symbol is chosen.
    ///   - penalty: makes recently used symbols less likely.
    ///   - mirostat: keeps the surprise near a target.
    ///   - rules: banned texts and biased symbols.
    ///   - seed: seed of the random numbers: the same seed gives the same text.
    ///   - stream: selects one of many texts under the same seed; each is the same however many are generated.
    ///   - draw: selects an alternative text for the same stream, if the first one (draw 0) is rejected.
    ///   - isExact: whether nothing is rounded to bfloat16.
    ///   - longestCopy: for a model with counts: how many symbols in a row may be copied from the counted text before the
    ///     counts are left out; nil: any number.
    public func generator(
        prompt: String = "", strategy: SamplingStrategy, penalty: RepetitionPenalty = .none,
        mirostat: Mirostat? = nil, rules: SymbolRules = .none, seed: UInt64, stream: UInt64 = 0, draw: UInt64 = 0,
        isExact: Bool = false, longestCopy: Int? = nil
    ) throws(TextError) -> TextGenerator {
        try generator(
            promptBytes: Array(prompt.utf8), strategy: strategy, penalty: penalty, mirostat: mirostat, rules: rules,
            seed: seed, stream: stream, draw: draw, isExact: isExact, longestCopy: longestCopy)
    }

    /// A generator that continues a prompt that need not be UTF-8, for models of the byte unit.
    ///
    /// - Throws: `TextError.invalidUTF8` for another unit.
    public func generator(
        promptBytes: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none,
        mirostat: Mirostat? = nil, rules: SymbolRules = .none, seed: UInt64, stream: UInt64 = 0, draw: UInt64 = 0,
        isExact: Bool = false, longestCopy: Int? = nil
    ) throws(TextError) -> TextGenerator {
        let ids = try symbols(of: promptBytes)
        let state = TextState(self, isExact: isExact)
        state.read(ids)
        return TextGenerator(
            after: state, symbols: ids, strategy: strategy, penalty: penalty, mirostat: mirostat, rules: rules,
            seed: seed, stream: stream, draw: draw, longestCopy: longestCopy)
    }

    /// The ids of a text's symbols; those that the vocabulary does not have are `unknown`.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func symbols(of text: [UInt8]) throws(TextError) -> [Int] {
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        return try tokenizer.symbols(of: text, path: "the prompt").map { vocabulary.id(of: $0) }
    }

    /// The text in the model's normal form.
    ///
    /// - Throws: `TextError` if it cannot be cut into symbols.
    public func normalized(_ text: [UInt8]) throws(TextError) -> [UInt8] {
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        return try tokenizer.symbols(of: text, path: "the text").flatMap(\.bytes)
    }

    /// The symbols of a text that the vocabulary does not have, without duplicates, in order of first occurrence.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func unknownSymbols(in text: [UInt8]) throws(TextError) -> [Symbol] {
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        var unknown: [Symbol] = []
        for symbol in try tokenizer.symbols(of: text, path: "the text")
        where vocabulary.id(of: symbol) == vocabulary.unknown && !unknown.contains(symbol) { unknown.append(symbol) }
        return unknown
    }
}

/// The networks of a model, created lazily.
private final class Networks: Sendable {
    private let model: ModelConfiguration
    private let parameters: Parameters<Float>
    private let made = Mutex<(full: Network<Float>?, rounded: Network<Float>?)>((nil, nil))

    init(_ model: ModelConfiguration, _ parameters: Parameters<Float>) {
        self.model = model
        self.parameters = parameters
    }

    func full() -> Network<Float> {
        made.withLock { made in
            let network = made.full ?? make(.float32)
            made.full = network
            return network
        }
    }

    func rounded() -> Network<Float> {
        made.withLock { made in
            let network = made.rounded ?? make(.bfloat16)
            made.rounded = network
            return network
        }
    }

    private func make(_ precision: Precision) -> Network<Float> {
        Network(model, parameters, learns: false, precision: precision, using: Workers(count: 1))
    }
}
