import LinearAlgebra
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
    package let network: Network<Float>

    /// Reads a checkpoint.
    ///
    /// - Throws: `CheckpointError`, a case for each way to be wrong.
    public init(contentsOf path: String) throws(CheckpointError) {
        self.init(try Checkpoint(contentsOf: path))
    }

    public init(_ checkpoint: Checkpoint) {
        configuration = checkpoint.configuration
        vocabulary = checkpoint.vocabulary
        training = checkpoint.training
        network = Network(checkpoint.configuration, checkpoint.parameters, learns: false, using: Workers(count: 1))
    }

    /// A generator that goes on from a prompt.
    ///
    /// - Parameters:
    ///   - prompt: its unknown symbols are read as `unknown`; an empty one starts a text.
    ///   - stream: one of many texts under one seed; each is the same alone and among others.
    public func generator(
        prompt: String = "", strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, seed: UInt64,
        stream: UInt64 = 0
    ) throws(TextError) -> TextGenerator {
        try generator(
            promptBytes: Array(prompt.utf8), strategy: strategy, penalty: penalty, seed: seed, stream: stream)
    }

    /// A generator that goes on from a prompt that need not be UTF-8, for models of the byte unit.
    ///
    /// - Throws: `TextError.invalidUTF8` for another unit.
    public func generator(
        promptBytes: [UInt8], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, seed: UInt64,
        stream: UInt64 = 0
    ) throws(TextError) -> TextGenerator {
        try TextGenerator(
            self, prompt: promptBytes, strategy: strategy, penalty: penalty, seed: seed, stream: stream)
    }
}
