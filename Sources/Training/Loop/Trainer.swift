import CharacterModel
import Concurrency
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// Trains a model by truncated back-propagation through time (Williams & Peng 1990), validates it, and saves it.
///
/// With the same seed, text and options the weights are bit-identical with any number of threads. A run that is stopped
/// and resumed gives the same result as one that never stopped. Only a time limit makes runs differ.
public final class Trainer {
    /// How a training run ended.
    public enum Ending: Sendable, Equatable {
        /// The budget or the patience is exhausted.
        case finished
        /// `shouldStop` returned true; the state is saved.
        case stopped
    }

    package internal(set) var record: TrainingRecord
    let configuration: ModelConfiguration
    let data: TrainingData
    let engine: any Engine<Float>
    let feed: TrainingFeed
    let workers: Workers
    let saver: CheckpointSaver
    let observe: (TrainingEvent) -> Void
    /// The peak learning rate, and the number of warm-up steps.
    let rate: (full: Double, warmup: Int)
    var budget: BudgetMeter
    var validation: ValidationPolicy
    var recovery: RecoveryKeeper
    var samples: SampleClock
    /// Counts n-grams and mixes them with the network; nil for a network alone.
    let counts: CountKeeper?
    /// What the best model mixes.
    var bestMixture: CountMixture?
    /// That of the last validation in this run.
    var lastMixture: CountMixture?
    /// Whether the weights are those of the best model.
    var weightsAreBest = false
    /// Whether training had already ended before this run.
    let wasFinished: Bool

    /// Trains a new model on some data, with recommended values for the shape and options that are not set.
    ///
    /// - Parameters:
    ///   - data: the training and validation parts.
    ///   - options: values that are not set are recommended.
    ///   - output: where the model is saved.
    ///   - threads: does not affect the result; nil: one per core.
    ///   - observe: called with events, on the thread that runs.
    /// - Throws: `TrainingError`: too little text, an option out of its range, an output that cannot be written.
    public convenience init(
        on data: TrainingData, options: TrainingOptions = TrainingOptions(), output: Output, threads: Int? = nil,
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws(TrainingError) {
        do {
            guard output.path.hasSuffix(".safetensors"), !output.path.hasSuffix(".last.safetensors") else {
                throw ConfigurationError(
                    name: "output", value: output.path,
                    allowed: "a path that ends in .safetensors, and not in .last.safetensors")
            }
            guard output.logEvery >= 1 else {
                throw ConfigurationError(name: "logEvery", value: "\(output.logEvery)", allowed: "at least 1")
            }
            let configuration = try ModelConfiguration(options, data: data)
            try self.init(
                configuration, data: data, record: TrainingRecord(options, configuration, data), output: output,
                threads: try Self.checked(threads),
                observe: observe)
        } catch {
            throw TrainingError(error)
        }
    }

    /// Trains a new model, or continues from a checkpoint.
    ///
    /// - Parameters:
    ///   - record: options and corpus; the seed is that of `options`. The learning rate and warm-up are recommended if
    ///     neither is given.
    ///   - checkpoint: the checkpoint to continue from; read with its state.
    ///   - adaptation: the initial weights, instead of random ones.
    ///   - observe: called with events, on the thread that runs.
    /// - Throws: `ConfigurationError` for options out of range, `TrainingError` for too little text, `CheckpointError` if the
    ///   output cannot be written, or the checkpoint was read without its state.
    package convenience init(
        _ configuration: ModelConfiguration, data: TrainingData, record: TrainingRecord, output: Output, threads: Int,
        resuming checkpoint: Checkpoint? = nil, from adaptation: Adaptation? = nil,
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws {
        try self.init(
            configuration, data: data, record: record, output: output, threads: threads, resuming: checkpoint,
            from: adaptation, engine: { ThreadedEngine($0) }, observe: observe)
    }

    /// The same with another engine.
    package init(
        _ configuration: ModelConfiguration, data: TrainingData, record: TrainingRecord, output: Output, threads: Int,
        resuming checkpoint: Checkpoint?, from adaptation: Adaptation?,
        engine makeEngine: (EngineSetup<Float>) throws -> any Engine<Float>, observe: @escaping (TrainingEvent) -> Void
    ) throws {
        var record = record
        // Files from before there was a choice were trained in float32.
        if checkpoint != nil { record.options.precision = record.options.precision ?? .float32 }
        record.options.chooseRest(Recommendation(record.options, for: configuration, data: data))
        let options = record.options
        try options.validate()
        if let checkpoint, checkpoint.state == nil { throw CheckpointError.noTrainingState(path: output.lastPath) }
        guard data.trainingSymbols > options.window else {
            throw TrainingError.tooShort(symbols: data.trainingSymbols, needed: options.window + 1)
        }
        let batch = LaneSchedule.batch(options.batch, symbols: data.trainingSymbols, window: options.window)
        if batch < options.batch { observe(.fewerLanes(wanted: options.batch, used: batch)) }
        record.generator = options.seed
        if checkpoint == nil { record.options.counts = data.counted != nil }
        data.describe(in: &record.corpus)
        if let other = record.takeKernelLevel() { observe(other) }
        wasFinished = record.isFinished
        let schedule = LaneSchedule(
            symbols: data.trainingSymbols, batch: batch, window: options.window, startsFresh: false)
        guard record.isPlausible(windows: schedule.windows) else {
            throw CheckpointError.badMetadata(
                path: output.lastPath, key: "training", reason: "its counters do not fit the text")
        }
        saver = try CheckpointSaver(output, configuration, &record, resumes: checkpoint != nil, observe: observe)
        workers = Workers(count: threads)
        engine = try makeEngine(
            EngineSetup(
                model: configuration,
                parameters: Self.firstParameters(configuration, options, checkpoint, adaptation),
                optimizer: options.optimizer, precision: options.precision ?? .float32, batch: batch,
                window: options.window, restarts: data.restarts, seed: options.seed,
                measuresHalves: output.measuresNoise, workers: workers))
        feed = TrainingFeed(
            data, schedule, window: options.window, ngrams: configuration.ngramEmbedding, seed: options.seed)
        budget = BudgetMeter(record, windows: schedule.windows)
        validation = ValidationPolicy(data, record, windows: schedule.windows)
        recovery = RecoveryKeeper(checkpoint?.recoveryPoint)
        samples = SampleClock(output.samples, record)
        counts = output.mixesCounts ? CountKeeper(data, options) : nil
        rate = (options.learningRate ?? 0, options.warmup ?? 0)
        (self.configuration, self.data) = (configuration, data)
        self.observe = observe
        self.record = record
        if let state = checkpoint?.state { try goOn(from: state, lanes: batch) }
    }

    /// Restores the state of a checkpoint if it has this number of lanes.
    private func goOn(from state: EngineState<Float>, lanes: Int) throws {
        guard state.lanes.lanes == lanes else { throw TrainingError.corpusChanged(name: "the corpus") }
        guard recovery.point.map({ $0.lanes.lanes == lanes }) ?? true else {
            let name = "recovery.trainer.\(state.lanes.names[0])"
            throw CheckpointError.badShape(path: saver.output.lastPath, tensor: name)
        }
        try engine.restore(state)
    }

    /// The initial weights: a private copy, independent of their source.
    private static func firstParameters(
        _ configuration: ModelConfiguration, _ options: TrainingOptions, _ checkpoint: Checkpoint?,
        _ adaptation: Adaptation?
    ) -> Parameters<Float> {
        if let checkpoint { return checkpoint.parameters.copy(configuration) }
        if let adaptation {
            precondition(adaptation.configuration == configuration, "the weights are of another model")
            return adaptation.parameters.copy(configuration)
        }
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: options.seed)
        return parameters
    }

    /// The number of threads, checked.
    static func checked(_ threads: Int?) throws(ConfigurationError) -> Int {
        let count = threads ?? Workers.cores
        guard (1...1_024).contains(count) else {
            throw ConfigurationError(name: "threads", value: "\(count)", allowed: "from 1 to 1024")
        }
        return count
    }

    // MARK: Information for callers

    /// Whether the budget or the patience is exhausted.
    package var hasEnded: Bool { record.step > 0 && (budget.wasSpent(record) || isOutOfPatience) }

    /// Whether validations without improvement have ended the training.
    package var isOutOfPatience: Bool { budget.isOutOfPatience(record) }

    /// Steps in the budget; nil for a time limit.
    package var totalSteps: Int? { budget.totalSteps }

    /// The step of the best model in the output file, if this training run has saved one.
    package var savedStep: Int? {
        guard saver.hasBest else { return nil }
        return saver.hasBetter(than: record.bestValidation) ? saver.later?.step : record.bestStep
    }

    /// The memory a training run needs, in bytes: parameters, gradient, moments, packed copies, the buffers of a
    /// window, and the best model, which is loaded for scoring at the end.
    ///
    /// - Parameters:
    ///   - restarts: whether the state is reset within the text.
    ///   - ranks: the processes that share the lanes.
    package static func memory(
        _ model: ModelConfiguration, options: TrainingOptions, restarts: Bool = true, threads: Int = 1, ranks: Int = 1
    ) -> Double {
        trainingMemory(
            model, optimizer: options.optimizer, precision: options.precision ?? .float32,
            batch: options.batch, window: options.window, restarts: restarts, threads: threads, ranks: ranks)
    }

    /// The seconds per step, measured on windows whose results are discarded.
    ///
    /// - Throws: errors of the engine.
    package func secondsPerStep() throws -> Double {
        let state = try engine.state
        let seconds = try (0..<2).map { _ in
            let began = now()
            _ = try engine.gradient(of: nextWindow())
            return now() - began
        }
        try engine.restore(state)
        return seconds.last!
    }

    func nextWindow() -> TrainingWindow {
        feed.window(record.window, epoch: record.epoch, step: record.step, using: workers)
    }
}

extension TrainingRecord {
    /// Records the kernel level of this run; returns an event if the previous run had a different one.
    fileprivate mutating func takeKernelLevel() -> TrainingEvent? {
        let (before, now) = (kernelLevel, "\(KernelLevel.inUse.arithmetic)")
        kernelLevel = now
        return before.flatMap { $0 == now ? nil : .otherKernels(before: $0, now: now) }
    }
}
