import RecurrentNetwork
import Tokenization

extension LanguageModel {
    /// A hash of what decides its predictions: equal models have equal ones.
    package var fingerprint: String {
        var bytes = Array("\(configuration)".utf8)
        for symbol in vocabulary.symbols { bytes += Array(symbol.bytes) + [0] }
        parameters.elements.withUnsafeBytes { bytes += Array($0) }
        if let mixture {
            mixture.gate.weights.withUnsafeBytes { bytes += Array($0) }
            mixture.counts.discounts.withUnsafeBytes { bytes += Array($0) }
            for level in mixture.counts.levels {
                level.words.withUnsafeBytes { bytes += Array($0) }
                level.children.withUnsafeBytes { bytes += Array($0) }
            }
        }
        return SHA256.hash(of: bytes)
    }

    /// A tensor of a model, in PyTorch's shape and order.
    public struct Tensor: Sendable, Equatable {
        /// In PyTorch's layout: `[3 * H, E]` for a GRU's `weight_ih_l0`, for example.
        public var shape: [Int]
        /// Row by row.
        public var elements: [Float]

        public init(shape: [Int], elements: [Float]) {
            (self.shape, self.elements) = (shape, elements)
        }
    }

    /// Creates a model from tensors made elsewhere.
    ///
    /// - Parameters:
    ///   - configuration: the shape; its `vocabularySize` is the vocabulary's `count`.
    ///   - vocabulary: the symbols, in the order of their ids.
    ///   - tensors: keyed by their names in a checkpoint (`rnn.weight_ih_l0`, `decoder.bias` and so on), and no others.
    /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`, `.badShape`, `.notFinite`, and `.badMetadata` if
    ///   configuration, vocabulary and tensors do not match.
    public init(
        configuration: ModelConfiguration, vocabulary: Vocabulary, tensors: [String: Tensor]
    ) throws(CheckpointError) {
        let path = "the model"
        func flaw(_ key: String, _ reason: String) -> CheckpointError {
            .badMetadata(path: path, key: key, reason: reason)
        }
        do { try configuration.validate() } catch { throw flaw("configuration", error.description) }
        guard vocabulary.count == configuration.vocabularySize else {
            let size = configuration.vocabularySize
            throw flaw("vocabulary", "it has \(vocabulary.count) symbols, and the configuration says \(size)")
        }
        do { _ = try VocabularyRecord(vocabulary).vocabulary() } catch { throw flaw("vocabulary", error.reason) }
        let entries = ParameterLayout(configuration).entries
        if let other = Set(tensors.keys).subtracting(entries.map(\.name)).sorted().first {
            throw flaw("configuration", "a model of this shape has no tensor \(other)")
        }
        for entry in entries {
            guard let tensor = tensors[entry.name] else { throw .missingTensor(path: path, tensor: entry.name) }
            guard tensor.shape == entry.shape else {
                throw .wrongShape(path: path, tensor: entry.name, expected: entry.shape, found: tensor.shape)
            }
            guard tensor.elements.count == entry.rows * entry.columns else {
                throw .badShape(path: path, tensor: entry.name)
            }
            guard tensor.elements.allSatisfy(\.isFinite) else { throw .notFinite(path: path, tensor: entry.name) }
        }
        let parameters = Parameters<Float>(configuration)
        for entry in entries { parameters.assign(tensors[entry.name]!.elements, to: entry) }
        guard !configuration.isTied || parameters.isTied else {
            throw flaw("configuration", "encoder.weight and decoder.weight are tied but differ")
        }
        self.init(configuration, vocabulary, parameters, nil)
    }

    /// The model's tensors by name, in PyTorch's shapes: `torch.nn.LSTM`, `GRU` or `RNN` and a `Linear` load them as they are.
    public var tensors: [String: Tensor] {
        let entries = parameters.layout.entries
        return Dictionary(
            uniqueKeysWithValues: entries.map { entry in
                (entry.name, Tensor(shape: entry.shape, elements: parameters.elements(of: entry)))
            })
    }
}

extension Parameters<Float> {
    /// Whether encoder and decoder share their weights.
    var isTied: Bool { encoder?.elements == decoderWeight.elements }
}
