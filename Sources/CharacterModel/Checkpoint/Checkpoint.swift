import Glibc
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// A model in one file: weights, vocabulary, configuration, and the training state if it is to be resumed.
///
/// The file is a safetensors file with PyTorch's names and shapes; docs/checkpoint.md describes its contents.
package struct Checkpoint: Sendable {
    package let configuration: ModelConfiguration
    package let vocabulary: Vocabulary
    /// How the model was trained; nil if another tool wrote the file.
    package let training: TrainingRecord?
    package var parameters: Parameters<Float>
    package let state: EngineState<Float>?
    /// The recovery point that training returns to if its loss explodes.
    package let recoveryPoint: EngineState<Float>?
    /// N-grams that are mixed with the network, if there are any.
    package let mixture: CountMixture?

    static let format = "escriba"
    /// The format's version. Files without embeddings of n-grams have 2, and without counts too 1, so that earlier programs read
    /// them.
    static let version = 3

    package init(
        configuration: ModelConfiguration, vocabulary: Vocabulary, parameters: Parameters<Float>,
        training: TrainingRecord?, state: EngineState<Float>?, recoveryPoint: EngineState<Float>? = nil,
        mixture: CountMixture? = nil
    ) {
        self.configuration = configuration
        self.vocabulary = vocabulary
        self.parameters = parameters
        self.training = training
        self.state = state
        self.recoveryPoint = recoveryPoint
        self.mixture = mixture
    }

    /// Writes the checkpoint at `path`, atomically.
    ///
    /// - Throws: `CheckpointError.cannotCreate`, `CheckpointError.cannotWrite`; an existing file is then left
    ///   unchanged.
    package func write(to path: String) throws(CheckpointError) { try write(to: path, on: SystemFiles()) }

    package func write(
        to path: String, replacing earlier: EarlierFiles = .none, on files: any FileSystem
    ) throws(CheckpointError) {
        var metadata = [
            "format": Self.format, "version": configuration.embedsNgrams ? "3" : mixture == nil ? "1" : "2",
            "configuration": json(configuration),
            "vocabulary": json(VocabularyRecord(vocabulary)),
        ]
        if let training { metadata["training"] = json(training) }
        var tensors = Self.tensors(of: parameters, prefix: "") + (mixture?.tensors ?? [])
        if let state, let training {
            tensors += self.tensors(of: state, training, prefix: "")
            if let recoveryPoint {
                tensors += Self.tensors(of: recoveryPoint.parameters, prefix: "recovery.")
                tensors += self.tensors(of: recoveryPoint, training, prefix: "recovery.")
            }
        }
        try SafetensorsWriter.write(metadata: metadata, tensors: tensors, to: path, replacing: earlier, on: files)
    }

    /// The tensors of the training state, apart from the parameters.
    private func tensors(
        of state: EngineState<Float>, _ training: TrainingRecord, prefix: String
    ) -> [SafetensorsWriter.Tensor] {
        var tensors: [SafetensorsWriter.Tensor] = []
        for (name, moment) in zip(training.options.optimizer.moments, state.moments) {
            tensors += Self.tensors(of: moment, prefix: "\(prefix)optimizer.\(name).")
        }
        let shape = [configuration.layers, state.lanes.lanes, configuration.hidden]
        for (name, layers) in zip(state.lanes.names, state.lanes.values) {
            tensors.append(.init(name: "\(prefix)trainer.\(name)", shape: shape, floats: { layers.flatMap(\.self) }))
        }
        return tensors
    }

    private static func tensors(of parameters: Parameters<Float>, prefix: String) -> [SafetensorsWriter.Tensor] {
        parameters.layout.entries.map { entry in
            .init(name: prefix + entry.name, shape: entry.shape, floats: { parameters.elements(of: entry) })
        }
    }

    /// Reads and verifies a checkpoint.
    ///
    /// - Parameter withState: whether to read the training state too; it must then be present.
    /// - Throws: `CheckpointError`, with a case for each kind of failure.
    package init(contentsOf path: String, withState: Bool = false) throws(CheckpointError) {
        try self.init(try SafetensorsFile(contentsOf: path), withState: withState)
    }

    /// Verifies the bytes of a checkpoint.
    ///
    /// - Parameter name: the name used in error messages.
    package init(bytes: [UInt8], name: String, withState: Bool = false) throws(CheckpointError) {
        try self.init(try SafetensorsFile(bytes: bytes, path: name), withState: withState)
    }

    private init(_ file: SafetensorsFile, withState: Bool) throws(CheckpointError) {
        let path = file.path
        guard file.metadata["format"] == Self.format else { throw .foreign(path: path) }
        guard let version = file.metadata["version"].flatMap(Int.init), version >= 1,
            file.metadata["version"] == String(version)
        else {
            throw .badMetadata(path: path, key: "version", reason: "it is not a number")
        }
        guard version <= Self.version else { throw .newerVersion(path: path, version: String(version)) }
        configuration = try file.decode(ModelConfiguration.self, "configuration")
        do { try configuration.validate() } catch {
            throw .badMetadata(path: path, key: "configuration", reason: error.description)
        }
        let record = try file.decode(VocabularyRecord.self, "vocabulary")
        do { vocabulary = try record.vocabulary() } catch {
            throw .badMetadata(path: path, key: "vocabulary", reason: error.reason)
        }
        guard vocabulary.count == configuration.vocabularySize else {
            let sizes =
                "\(vocabulary.symbols.count) + 2 symbols where the configuration says \(configuration.vocabularySize)"
            throw .badMetadata(path: path, key: "vocabulary", reason: sizes)
        }
        training = file.metadata["training"] == nil ? nil : try file.decode(TrainingRecord.self, "training")
        parameters = try Self.parameters(in: file, configuration, prefix: "")
        guard !configuration.isTied || parameters.isTied else {
            throw .badMetadata(
                path: path, key: "configuration", reason: "encoder.weight and decoder.weight are tied but differ")
        }
        mixture = try CountMixture(in: file, vocabulary)
        state = withState ? try Self.state(in: file, configuration, training, parameters, prefix: "") : nil
        guard withState, training?.recovery.point != nil else {
            recoveryPoint = nil
            return
        }
        let earlier = try Self.parameters(in: file, configuration, prefix: "recovery.")
        recoveryPoint = try Self.state(in: file, configuration, training, earlier, prefix: "recovery.")
    }

    /// Nothing is allocated until every shape has been found in the file.
    private static func parameters(
        in file: SafetensorsFile, _ configuration: ModelConfiguration, prefix: String
    ) throws(CheckpointError) -> Parameters<Float> {
        let entries = ParameterLayout(configuration).entries
        var values: [[Float]] = []
        for entry in entries { values.append(try file.elements(of: prefix + entry.name, shape: entry.shape).elements) }
        let parameters = Parameters<Float>(configuration)
        for (entry, elements) in zip(entries, values) { parameters.assign(elements, to: entry) }
        return parameters
    }

    private static func state(
        in file: SafetensorsFile, _ configuration: ModelConfiguration, _ training: TrainingRecord?,
        _ parameters: Parameters<Float>, prefix: String
    ) throws(CheckpointError) -> EngineState<Float> {
        let names = configuration.cell.cell.states
        guard let training, file.contains("trainer.\(names[0])") else { throw .noTrainingState(path: file.path) }
        var moments: [Parameters<Float>] = []
        for name in training.options.optimizer.moments {
            moments.append(try Self.parameters(in: file, configuration, prefix: "\(prefix)optimizer.\(name)."))
        }
        let first = "\(prefix)trainer.\(names[0])"
        let shape = try file.elements(of: first, shape: nil).shape
        guard shape.count == 3, shape[0] == configuration.layers, shape[1] >= 1, shape[2] == configuration.hidden else {
            throw .badShape(path: file.path, tensor: first)
        }
        var lanes = NetworkState<Float>(configuration, lanes: shape[1])
        for (index, name) in names.enumerated() {
            let elements = try file.elements(of: "\(prefix)trainer.\(name)", shape: shape).elements
            let size = shape[1] * shape[2]
            lanes.values[index] = (0..<shape[0]).map { Array(elements[$0 * size..<($0 + 1) * size]) }
        }
        return EngineState(parameters: parameters, moments: moments, lanes: lanes)
    }
}

extension SafetensorsFile {
    func decode<Value: Decodable>(_ type: Value.Type, _ key: String) throws(CheckpointError) -> Value {
        guard let text = metadata[key] else { throw .badMetadata(path: path, key: key, reason: "it is missing") }
        do { return try StrictJSON.decode(type, from: Array(text.utf8)[...]) } catch {
            switch error {
            case .missing(let name): throw .badMetadata(path: path, key: key, reason: "it lacks \(name)")
            case .wrong(let name): throw .badMetadata(path: path, key: key, reason: "\(name) has a wrong value")
            case .malformed: throw .badMetadata(path: path, key: key, reason: "it is not the expected JSON")
            case .tooDeep: throw .badMetadata(path: path, key: key, reason: "it is nested too deeply")
            case .repeatedKey(let name): throw .badMetadata(path: path, key: key, reason: "it has \(name) twice")
            }
        }
    }
}
