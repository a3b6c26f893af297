import CharacterModel
import Concurrency
import Foundation
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// Trains a model by truncated back-propagation through time (Williams & Peng 1990), validates it, and saves it.
///
/// With the same seed, text and options the weights come out the same to the bit, whatever the number of threads; a
/// training that is stopped and resumed ends as one that never stopped. Only a time limit makes runs differ.
public final class Trainer {
    /// How a training ended.
    public enum Ending: Sendable, Equatable {
        /// The budget or the patience is spent.
        case finished
        /// `shouldStop` said so; the state is saved.
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
    /// The full learning rate, and the steps over which it rises.
    let rate: (full: Double, warmup: Int)
    var budget: BudgetMeter
    var validation: ValidationPolicy
    var recovery: RecoveryKeeper
    /// Whether the weights are those of the best model.
    var weightsAreBest = false
    /// Whether this training had ended before this run.
    let wasFinished: Bool

    /// A training of a new model on some data, with the shape and the options that are recommended where nobody chooses.
    ///
    /// - Parameters:
    ///   - data: what trains and what validates.
    ///   - options: what nobody chooses is recommended.
    ///   - output: where the model is saved.
    ///   - threads: of which the result does not depend; nil: one a core.
    ///   - observe: is told what happens, on the thread that runs.
    /// - Throws: `TrainingError`: too little text, an option out of its range, an output that cannot be written.
    public convenience init(
        on data: TrainingData, options: TrainingOptions = TrainingOptions(), output: Output, threads: Int? = nil,
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws(TrainingError) {
        do {
            let configuration = try ModelConfiguration(options, data: data)
            try self.init(
                configuration, data: data, record: TrainingRecord(options, configuration, data), output: output,
                threads: threads ?? Workers.cores,
                observe: observe)
        } catch {
            throw TrainingError(error)
        }
    }

    /// A training of a new model, or one that goes on from a checkpoint.
    ///
    /// - Parameters:
    ///   - record: options and corpus; the seed of `options` is the training's. Where neither rate nor warm-up is given, they are
    ///     as recommended.
    ///   - checkpoint: where to go on; read with its state.
    ///   - adaptation: the weights to begin with, in place of random ones.
    ///   - observe: is told what happens, on the thread that runs.
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
        record.options.chooseRate(Recommendation(record.options, cell: configuration.cell, data: data))
        let options = record.options
        try options.validate()
        if let checkpoint, checkpoint.state == nil { throw CheckpointError.noTrainingState(path: output.lastPath) }
        guard data.trainingSymbols > options.window else {
            throw TrainingError.tooShort(symbols: data.trainingSymbols, needed: options.window + 1)
        }
        let batch = LaneSchedule.batch(options.batch, symbols: data.trainingSymbols, window: options.window)
        if batch < options.batch { observe(.fewerLanes(wanted: options.batch, used: batch)) }
        record.generator = options.seed
        data.describe(in: &record.corpus)
        if let other = record.takeKernelLevel() { observe(other) }
        wasFinished = record.isFinished
        let schedule = LaneSchedule(
            symbols: data.trainingSymbols, batch: batch, window: options.window, startsFresh: false)
        guard record.isPlausible(windows: schedule.windows) else {
            throw CheckpointError.badMetadata(
                path: output.lastPath, key: "training", reason: "its counters do not fit the text")
        }
        saver = try CheckpointSaver(output, &record, resumes: checkpoint != nil, observe: observe)
        workers = Workers(count: threads)
        engine = try makeEngine(
            EngineSetup(
                model: configuration,
                parameters: Self.firstParameters(configuration, options, checkpoint, adaptation),
                optimizer: options.optimizer, batch: batch, window: options.window, restarts: data.restarts,
                seed: options.seed, workers: workers))
        feed = TrainingFeed(data, schedule, window: options.window, seed: options.seed)
        budget = BudgetMeter(record, windows: schedule.windows)
        validation = ValidationPolicy(data, record, windows: schedule.windows)
        recovery = RecoveryKeeper(checkpoint?.recoveryPoint)
        rate = (options.learningRate ?? 0, options.warmup ?? 0)
        self.configuration = configuration
        self.data = data
        self.observe = observe
        self.record = record
        if let state = checkpoint?.state { try goOn(from: state, lanes: batch) }
    }

    /// Restores the state of a checkpoint, if it is of so many lanes.
    private func goOn(from state: EngineState<Float>, lanes: Int) throws {
        guard state.lanes.lanes == lanes else { throw TrainingError.corpusChanged(name: "the corpus") }
        guard recovery.point.map({ $0.lanes.lanes == lanes }) ?? true else {
            let name = "recovery.trainer.\(state.lanes.names[0])"
            throw CheckpointError.badShape(path: saver.output.lastPath, tensor: name)
        }
        engine.restore(state)
    }

    /// The weights that a training begins with: its own, whatever else happens to those they came from.
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

    // MARK: What a caller may want to know

    /// Whether the budget, or the patience, leaves nothing to do.
    package var hasEnded: Bool { record.step > 0 && (budget.wasSpent(record) || isOutOfPatience) }

    /// Whether validations without improvement have ended the training.
    package var isOutOfPatience: Bool { budget.isOutOfPatience(record) }

    /// Steps in the budget, where it says so.
    package var totalSteps: Int? { budget.totalSteps }

    /// The step of the best model in the output file, if this training has put one there.
    package var savedStep: Int? { saver.hasBest ? record.bestStep : nil }

    /// What a training takes in memory, in bytes: parameters, gradient, moments, packed copies, and the buffers of a window;
    /// then the best model beside it, which is read to be scored at the end.
    ///
    /// - Parameter restarts: whether the text has several beginnings.
    package static func memory(
        _ model: ModelConfiguration, options: TrainingOptions, restarts: Bool = true, threads: Int = 1
    ) -> Double {
        trainingMemory(
            model, optimizer: options.optimizer, batch: options.batch, window: options.window, restarts: restarts,
            threads: threads)
    }

    /// The seconds a step takes, measured on windows whose result is thrown away.
    ///
    /// - Throws: what the engine throws.
    package func secondsPerStep() throws -> Double {
        let state = engine.state
        defer { engine.restore(state) }
        return try (0..<2).map { _ in
            let began = now()
            _ = try engine.gradient(of: nextWindow())
            return now() - began
        }.last!
    }

    func nextWindow() -> TrainingWindow {
        feed.window(record.window, epoch: record.epoch, step: record.step, using: workers)
    }
}

extension TrainingRecord {
    /// Records the level of this run's kernels; returns what there is to tell if the run before had another.
    fileprivate mutating func takeKernelLevel() -> TrainingEvent? {
        let (before, now) = (kernelLevel, "\(KernelLevel.inUse)")
        kernelLevel = now
        return before.flatMap { $0 == now ? nil : .otherKernels(before: $0, now: now) }
    }
}
