import CharacterModel
import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork

/// How fast a machine trains, whatever the size of the network: what decides how much of a text a time limit reads.
public struct TrainingSpeed: Sendable, Equatable {
    /// Weights that are trained on a symbol, in a second: each costs six operations.
    public var weightsPerSecond: Double

    public init(weightsPerSecond: Double) { self.weightsPerSecond = weightsPerSecond }

    /// What is assumed where nothing is measured: two cores of a small server (`docs/speed.md`).
    public static func usual(_ precision: Precision) -> TrainingSpeed {
        switch precision {
        case .float32: TrainingSpeed(weightsPerSecond: 25e9)
        case .bfloat16: TrainingSpeed(weightsPerSecond: 44e9)
        }
    }

    /// What a symbol costs besides its weights (gates, softmax, waiting), as so many weights.
    private static let overhead = 50_000.0
    /// What the rows of its n-grams cost, likewise.
    private static let ngrams = 60_000.0

    /// The symbols of a training text that a second reads, about: within a fifth from 128 to 768 units, one layer or two.
    public func symbolsPerSecond(_ model: ModelConfiguration) -> Double {
        weightsPerSecond / (Double(model.usedWeights) + Self.overhead + (model.embedsNgrams ? Self.ngrams : 0))
    }

    /// The speed of all ranks of a launch, as fast as this one each.
    package func times(_ ranks: Int) -> TrainingSpeed {
        TrainingSpeed(weightsPerSecond: weightsPerSecond * Double(ranks))
    }
}

extension ModelConfiguration {
    /// The weights that every symbol is multiplied by: without rows of an embedding or of a one-hot input, and biases.
    package var usedWeights: Int {
        ParameterLayout(self).entries.reduce(0) { sum, entry in
            entry.isBias || entry.isTransposed || [.encoder, .ngrams].contains(entry.role)
                ? sum : sum + entry.rows * entry.columns
        }
    }
}

extension TrainingSpeed {
    /// Units of the network that is measured; larger ones reach the same rate.
    private static let probeUnits = 384
    /// A larger vocabulary would take much memory, and say the same.
    private static let largestVocabulary = 2_000
    /// Seconds that the measurement may take, unless two steps take more.
    private static let patience = 0.15

    /// The speed of this machine with these options, measured in a fraction of a second: the fastest quarter of some steps of a
    /// network with meaningless weights, since what else runs may be gone the next moment.
    package static func measured(_ options: TrainingOptions, vocabularySize: Int, threads: Int) throws -> TrainingSpeed
    {
        let model = try ModelConfiguration(
            cell: .gru, layers: 1, hidden: probeUnits, embedding: 32,
            vocabularySize: min(vocabularySize, largestVocabulary))
        let parameters = Parameters<Float>(model)
        var generator = SplitMix64(seed: 1, stream: RandomStream.initialization)
        for entry in parameters.layout.entries {
            parameters[entry].assign(
                (0..<entry.rows * entry.columns).map { _ in Float(generator.uniform() - 0.5) / 20 })
        }
        // More lanes or longer windows cost as much a symbol, and more memory.
        let (lanes, steps) = (min(options.batch, 8 * threads), min(options.window, 64))
        let engine = ThreadedEngine(
            EngineSetup(
                model: model, parameters: parameters, optimizer: options.optimizer,
                precision: options.precision ?? Recommendation.precision, batch: lanes, window: steps,
                restarts: false, seed: 1, workers: Workers(count: threads)))
        let symbols = lanes * steps
        let window = TrainingWindow(LaneWindow(lanes: lanes, steps: steps), steps: steps, symbols: symbols, step: 0)
        var seconds: [Double] = []
        let end = now() + patience
        // The first step warms caches and threads up.
        while seconds.count < 2 || now() < end {
            let began = now()
            _ = engine.gradient(of: window)
            _ = engine.update(UpdateStep(step: 1, scale: 0, rate: 0, decay: 0))
            seconds.append(now() - began)
        }
        let each = seconds.dropFirst().sorted()[(seconds.count - 1) / 4] / Double(symbols)
        return TrainingSpeed(weightsPerSecond: (Double(model.usedWeights) + overhead) / each)
    }
}
