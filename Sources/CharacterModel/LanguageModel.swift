import Concurrency
import RecurrentNetwork
import Synchronization
import Tokenization

/// A trained model, ready to generate and to measure.
///
///     let model = try LanguageModel(contentsOf: "checkpoints/poems.safetensors")
///     let generator = try model.generator(prompt: "Once", strategy: .sampled(Temperature(0.8), keeping: .everything), seed: 1)
///     for element in generator.prefix(200) { print(element.symbol.text, terminator: "") }
public struct LanguageModel: Sendable {
    public let configuration: ModelConfiguration
    public let vocabulary: Vocabulary
    /// How the model came to be, if the checkpoint says so.
    public let training: TrainingRecord?
    package let parameters: Parameters<Float>
    private let networks: Networks
    /// Reads with the weights as they are.
    package var network: Network<Float> { networks.full() }
    /// Generates with weights rounded to bfloat16.
    package var compactNetwork: Network<Float> { networks.compact() }

    /// Reads a checkpoint.
    ///
    /// - Throws: `CheckpointError`, a case for each way to be wrong.
    public init(contentsOf path: String) throws(CheckpointError) {
        self.init(try Checkpoint(contentsOf: path))
    }

    package init(_ checkpoint: Checkpoint) {
        self.init(checkpoint.configuration, checkpoint.vocabulary, checkpoint.parameters, checkpoint.training)
    }

    init(
        _ configuration: ModelConfiguration, _ vocabulary: Vocabulary, _ parameters: Parameters<Float>,
        _ training: TrainingRecord?
    ) {
        (self.configuration, self.vocabulary) = (configuration, vocabulary)
        (self.parameters, self.training) = (parameters, training)
        networks = Networks(configuration, parameters)
    }

    /// Writes the model as a checkpoint, whole or not at all.
    ///
    /// - Throws: `CheckpointError.cannotCreate`, `CheckpointError.cannotWrite`; the file there before is intact then.
    public func write(to path: String) throws(CheckpointError) {
        try Checkpoint(
            configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: training, state: nil
        ).write(to: path)
    }

    /// A generator that goes on from a prompt.
    ///
    /// Its speed is that of reading the weights, so it reads them rounded to bfloat16 unless `isExact`: that moves the perplexity by
    /// some 0.002 %, and log-probabilities in the fourth digit.
    ///
    /// - Parameters:
    ///   - prompt: its unknown symbols are read as `unknown`; an empty one starts a text.
    ///   - strategy: how the next symbol is chosen.
    ///   - penalty: makes symbols among the last ones less likely.
    ///   - mirostat: keeps the surprise near a target.
    ///   - rules: symbols that are banned, or likelier.
    ///   - seed: names the random numbers: equal seeds, equal texts.
    ///   - stream: one of many texts under one seed; each is the same alone and among others.
    ///   - draw: another text in that one's place, where the first, draw 0, will not do.
    ///   - isExact: whether the weights are read as they are, and not rounded to bfloat16.
    public func generator(
        prompt: String = "", strategy: SamplingStrategy, penalty: RepetitionPenalty = .none,
        mirostat: Mirostat? = nil, rules: SymbolRules = .none, seed: UInt64, stream: UInt64 = 0, draw: UInt64 = 0,
        isExact: Bool = false
    ) throws(TextError) -> TextGenerator {
        try generator(
            promptBytes: Array(prompt.utf8), strategy: strategy, penalty: penalty, mirostat: mirostat, rules: rules,
            seed: seed, stream: stream, draw: draw, isExact: isExact)
    }

    /// A generator that goes on from a prompt that need not be UTF-8, for models of the byte unit.
    ///
    /// - Throws: `TextError.invalidUTF8` for another unit.
    public func generator(
        promptBytes: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none,
        mirostat: Mirostat? = nil, rules: SymbolRules = .none, seed: UInt64, stream: UInt64 = 0, draw: UInt64 = 0,
        isExact: Bool = false
    ) throws(TextError) -> TextGenerator {
        try TextGenerator(
            self, prompt: promptBytes, strategy: strategy, penalty: penalty, mirostat: mirostat, rules: rules,
            seed: seed, stream: stream, draw: draw, isExact: isExact)
    }

    /// A text in the normal form that the model reads.
    ///
    /// - Throws: `TextError` if it cannot be cut into symbols.
    public func normalized(_ text: [UInt8]) throws(TextError) -> [UInt8] {
        let tokenizer = try Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
        return try tokenizer.symbols(of: text, path: "the text").flatMap(\.bytes)
    }

    /// The symbols of a text that the vocabulary does not have, each once, in the order in which they come.
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

/// The networks of a model, made when they are first needed.
private final class Networks: Sendable {
    private let model: ModelConfiguration
    private let parameters: Parameters<Float>
    private let made = Mutex<(full: Network<Float>?, compact: Network<Float>?)>((nil, nil))

    init(_ model: ModelConfiguration, _ parameters: Parameters<Float>) {
        self.model = model
        self.parameters = parameters
    }

    func full() -> Network<Float> {
        made.withLock { made in
            let network = made.full ?? make()
            made.full = network
            return network
        }
    }

    func compact() -> Network<Float> {
        made.withLock { made in
            let network = made.compact ?? (made.full ?? make()).compacted()
            made.compact = network
            return network
        }
    }

    private func make() -> Network<Float> { Network(model, parameters, learns: false, using: Workers(count: 1)) }
}
