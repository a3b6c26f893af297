import Foundation
import LinearAlgebra
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

    /// Where a training leaves its files, and how often.
    public struct Output: Sendable {
        /// The best model by validation; the resumable state stands beside it.
        public var path: String
        public var checkpointEvery = 60.0
        public var metricsPath: String?
        /// Steps between reports.
        public var logEvery = 10

        public init(path: String) { self.path = path }

        /// `NAME.last.safetensors` for `NAME.safetensors`.
        public var lastPath: String {
            let suffix = ".safetensors"
            return (path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path) + ".last" + suffix
        }
    }

    public private(set) var record: TrainingRecord
    let configuration: ModelConfiguration
    let data: TrainingData
    let output: Output
    let machine: TrainingStep<Float>
    let workers: Workers
    private let schedule: LaneSchedule
    private let feed: TrainingFeed
    private let fill: TrainingStep<Float>.Fill
    let metrics: MetricsFile?
    private let observe: (TrainingEvent) -> Void
    /// When the first step of this run began, less what earlier runs took.
    private var started = Date.distantFuture
    private var lastSaved = Date.distantFuture
    /// What the validations of this run took, and the last of them.
    private var validationSeconds = (all: 0.0, last: 0.0)
    /// When the last one ended, on the clock of `record.seconds`.
    private var lastValidated = 0.0

    /// A training of a new model, or one that goes on from a checkpoint.
    ///
    /// - Parameters:
    ///   - record: options and corpus; the seed of `options` is the training's.
    ///   - checkpoint: where to go on; read with its state.
    ///   - adaptation: the weights to begin with, in place of random ones.
    ///   - observe: is told what happens, on the thread that runs.
    /// - Throws: `TrainingError` for options out of range or too little text, `CheckpointError` if the output cannot
    ///   be written.
    public init(
        _ configuration: ModelConfiguration, data: TrainingData, record: TrainingRecord, output: Output, threads: Int,
        resuming checkpoint: Checkpoint? = nil, from adaptation: Adaptation? = nil,
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws {
        let options = record.options
        try options.validate()
        guard data.trainingSymbols > options.window else {
            throw TrainingError.tooShort(symbols: data.trainingSymbols, needed: options.window + 1)
        }
        let batch = LaneSchedule.batch(options.batch, symbols: data.trainingSymbols, window: options.window)
        if batch < options.batch { observe(.fewerLanes(wanted: options.batch, used: batch)) }
        self.configuration = configuration
        self.data = data
        self.output = output
        self.observe = observe
        self.record = record
        self.record.generator = options.seed
        wasFinished = record.isFinished
        lastValidated = record.seconds
        replacesEarlierFiles = checkpoint == nil
        for path in [output.path, output.lastPath] { try prepare(path) }
        workers = Workers(count: threads)
        schedule = LaneSchedule(
            symbols: data.trainingSymbols, batch: batch, window: options.window,
            startsFresh: data.vocabulary.records == nil)
        guard record.isPlausible(windows: schedule.windows) else {
            throw CheckpointError.badMetadata(
                path: output.lastPath, key: "training", reason: "its counters do not fit the text")
        }
        let metricsPath = (output.metricsPath ?? record.metricsPath).map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        // Lines that a resumed run does again are dropped; a file that is not this training's is only added to.
        let kept = checkpoint == nil ? 0 : metricsPath == record.metricsPath ? record.metricsLength : Int.max
        metrics = try metricsPath.map { try MetricsFile(path: $0, keeping: kept) }
        self.record.metricsPath = metricsPath
        self.record.metricsLength = metrics?.length ?? 0
        if checkpoint != nil && !FileManager.default.fileExists(atPath: output.path) {
            // The best model is gone: the next validation is the best there is.
            (self.record.bestValidation, self.record.bestStep) = (nil, nil)
        }
        let parameters: Parameters<Float>
        if let checkpoint {
            // A copy: what was read stays what it was.
            parameters = Parameters(configuration)
            parameters.all.copy(checkpoint.parameters.all)
        } else if let adaptation {
            precondition(adaptation.configuration == configuration, "the weights are of another model")
            parameters = adaptation.parameters
        } else {
            parameters = Parameters(configuration)
            parameters.initialize(configuration, seed: options.seed)
        }
        machine = TrainingStep(
            configuration, parameters: parameters, optimizer: options.optimizer, batch: batch, window: options.window,
            restarts: data.restarts, seed: options.seed, workers: workers)
        let feed = TrainingFeed(data, schedule.lanes, seed: options.seed)
        let lanes = machine.shards.indices.map { [machine] in machine.lanes(ofShard: $0) }
        self.feed = feed
        fill = { feed.fill($0, lanes: lanes[$1]) }
        if let state = checkpoint?.state {
            guard state.lanes.map(\.lanes) == machine.shards.map(\.lanes) else {
                throw TrainingError.corpusChanged(name: "the corpus")
            }
            for (moment, saved) in zip(machine.optimizer.moments, state.moments) { moment.all.copy(saved.all) }
            for (shard, saved) in zip(machine.shards, state.lanes) { shard.state = saved }
        }
    }

    /// Runs until the budget is spent or `shouldStop` says so; finishes the step, saves, and scores the best model.
    public func run(shouldStop: @Sendable () -> Bool = { false }) throws -> Ending {
        started = Date(timeIntervalSinceNow: -record.seconds)
        lastSaved = Date()
        // A resumed training may have been given another budget, or more patience.
        if record.step > 0 { record.isFinished = isSpent || isOutOfPatience }
        let endedBefore = wasFinished && record.isFinished && FileManager.default.fileExists(atPath: output.path)
        while !record.isFinished {
            let report = try step()
            if record.step % output.logEvery == 0 { try emit(report) }
            if isValidationDue { try validate() }
            record.isFinished = isSpent || isOutOfPatience
            if record.isFinished {
                if record.pendingTokens > 0 { try emit(report) }
                break
            }
            let stops = shouldStop()
            if stops || Date().timeIntervalSince(lastSaved) >= output.checkpointEvery { try saveLast() }
            if stops { return .stopped }
        }
        if !endedBefore {
            if validatedStep != record.step { try validate() }
            if data.validation == nil { try saveBest() }
            try saveLast()
        }
        return try validateExactly(shouldStop: shouldStop) ? .finished : .stopped
    }

    /// The step of the last validation of this run.
    private var validatedStep = -1
    /// Whether this training had ended before this run.
    private let wasFinished: Bool
    /// Whether files of an earlier training may still stand where this one writes: it replaces both, but not before it has
    /// something to put in their place.
    private var replacesEarlierFiles: Bool

    // MARK: One step

    private func step() throws -> StepReport {
        let began = Date()
        progressBefore = progress
        if record.window == 0 { machine.clearState() }
        let rate =
            record.options.learningRate
            * record.options.schedule.factor(step: record.step, progress: progressBefore, warmup: record.options.warmup)
        let outcome = gradient()
        guard outcome.nats.isFinite else { throw TrainingError.notFinite(step: record.step + 1, quantity: "loss") }
        guard outcome.gradientNorm.isFinite else {
            throw TrainingError.notFinite(step: record.step + 1, quantity: "gradient")
        }
        record.step += 1
        machine.update(
            step: record.step, norm: outcome.gradientNorm, clip: record.options.clip, rate: rate,
            decay: record.options.weightDecay)
        record.tokens += outcome.symbols
        record.pendingNats += outcome.nats
        record.pendingTokens += outcome.symbols
        record.window += 1
        if record.window == schedule.windows {
            record.window = 0
            record.epoch += 1
        }
        record.pendingSeconds += Date().timeIntervalSince(began)
        record.seconds = max(0, Date().timeIntervalSince(started))
        return StepReport(
            step: record.step, epoch: epochs(after: record.step), tokens: record.tokens, seconds: record.seconds,
            trainNats: record.pendingNats / Double(record.pendingTokens), learningRate: rate,
            gradientNorm: outcome.gradientNorm, tokensPerSecond: Double(record.pendingTokens) / record.pendingSeconds,
            progress: progress)
    }

    /// The gradient of the window that comes next.
    private func gradient() -> TrainingStep<Float>.Outcome {
        let steps = schedule.steps(ofWindow: record.window)
        feed.turn(to: steps, epoch: record.epoch)
        return machine.accumulate(
            steps: steps.count, symbols: schedule.symbols(ofWindow: record.window), step: record.step,
            fill: fill)
    }

    /// A step without its effect, for measuring.
    func rehearse() { _ = gradient() }

    private func emit(_ report: StepReport) throws {
        try tell(.step(report))
        record.pendingNats = 0
        record.pendingTokens = 0
        record.pendingSeconds = 0
    }

    private func tell(_ event: TrainingEvent) throws {
        if let metrics, let line = event.metricsLine {
            try metrics.append(line)
            record.metricsLength = metrics.length
        }
        observe(event)
    }

    private func epochs(after step: Int) -> Double { Double(step) / Double(schedule.windows) }

    // MARK: The budget

    /// Whether the budget, or the patience, leaves nothing to do.
    public var hasEnded: Bool {
        let spent: Bool
        switch record.options.budget {
        case .seconds(let limit): spent = record.seconds >= limit
        case .epochs, .steps: spent = record.step >= totalSteps!
        }
        return record.step > 0 && (spent || isOutOfPatience)
    }

    /// Steps in the budget, where it says so.
    public var totalSteps: Int? {
        switch record.options.budget {
        case .epochs(let epochs): epochs * schedule.windows
        case .steps(let steps): steps
        case .seconds: nil
        }
    }

    /// The part of the budget that is spent.
    private var progress: Double {
        if case .seconds(let limit) = record.options.budget { return min(1, record.seconds / limit) }
        return Double(record.step) / Double(totalSteps!)
    }

    private var isSpent: Bool {
        if case .seconds(let limit) = record.options.budget {
            return record.step > 0 && Date().timeIntervalSince(started) >= limit
        }
        return record.step >= totalSteps!
    }

    /// `progress` when the last step began.
    private var progressBefore = 0.0

    /// Whether validations without improvement have ended the training.
    public var isOutOfPatience: Bool { record.options.patience.map { record.validationsSinceBest >= $0 } ?? false }

    private var isValidationDue: Bool {
        guard data.validation != nil else { return false }
        if let every = record.options.evaluateEvery { return record.step % every == 0 }
        guard case .seconds(let limit) = record.options.budget, !isSpent else {
            return Int(progress * 10) > Int(progressBefore * 10)
        }
        // Of a time limit, validation may take a tenth; the last one comes in any case. A symbol that is only read
        // takes a third of the arithmetic of one that is trained on.
        let perSymbol = record.seconds / Double(max(1, record.tokens)) / 3
        let next = validationSeconds.last > 0 ? validationSeconds.last : perSymbol * Double(data.validationSymbols)
        return record.seconds - lastValidated >= limit / 10 && validationSeconds.all + next <= 0.1 * record.seconds
    }

    // MARK: Validation

    private func validate() throws {
        guard let validation = data.validation else { return }
        let began = Date()
        let nats = machine.network.scoreInLanes(validation, using: workers) / Double(validation.count)
        guard nats.isFinite else { throw TrainingError.notFinite(step: record.step, quantity: "validation loss") }
        let isBest = record.bestValidation.map { nats < $0 } ?? true
        record.validations += 1
        record.validationsSinceBest = isBest ? 0 : record.validationsSinceBest + 1
        validatedStep = record.step
        record.seconds = Date().timeIntervalSince(started)
        if isBest {
            record.bestValidation = nats
            record.bestStep = record.step
        }
        validationSeconds.last = Date().timeIntervalSince(began)
        validationSeconds.all += validationSeconds.last
        lastValidated = record.seconds
        try tell(.validation(validationReport(nats, isExact: false, isBest: isBest)))
        if isBest { try saveBest() }
    }

    private func validationReport(_ nats: Double, isExact: Bool, isBest: Bool) -> ValidationReport {
        let total = nats * Double(data.validationSymbols)
        let step = isExact ? record.bestStep ?? record.step : record.step
        return ValidationReport(
            step: step, epoch: epochs(after: step), seconds: record.seconds,
            nats: nats, bitsPerCharacter: total / log(2) / Double(max(1, data.validationCharacters)),
            isExact: isExact, isBest: isBest)
    }

    /// Scores the weights in the output file as `perplexity` does. False if it was stopped.
    private func validateExactly(shouldStop: @Sendable () -> Bool) throws -> Bool {
        guard let validation = data.validation else { return true }
        observe(.scoring(symbols: validation.count))
        let network: Network<Float>
        if record.bestStep == record.step && validatedStep == record.step {
            network = machine.network
        } else {
            let best = try Checkpoint(contentsOf: output.path)
            guard best.configuration == configuration, best.vocabulary.symbols == data.vocabulary.symbols else {
                throw CheckpointError.badMetadata(
                    path: output.path, key: "configuration", reason: "it is not the model of this training")
            }
            network = Network(configuration, best.parameters, learns: false, using: workers)
        }
        var nats = 0.0
        guard network.scoreExactly(validation, using: workers, isCancelled: shouldStop, { nats += $2 }) else {
            return false
        }
        nats /= Double(validation.count)
        try tell(.validation(validationReport(nats, isExact: true, isBest: true)))
        return true
    }

    // MARK: Saving

    /// What is saved must be usable: a step may have made the weights explode after a loss that was still finite.
    private func requireFiniteWeights() throws {
        guard machine.optimizer.norm(of: machine.network.parameters, using: workers).isFinite else {
            throw TrainingError.notFinite(step: record.step, quantity: "norm of the weights")
        }
    }

    private func saveBest() throws {
        try requireFiniteWeights()
        let path = output.path
        try Checkpoint(
            configuration: configuration, vocabulary: data.vocabulary, parameters: machine.network.parameters,
            training: record, state: nil
        ).write(to: path, removing: replacesEarlierFiles ? output.lastPath : nil)
        replacesEarlierFiles = false
        observe(.saved(path: path))
    }

    private func saveLast() throws {
        try requireFiniteWeights()
        record.seconds = max(0, Date().timeIntervalSince(started))
        let state = Checkpoint.TrainerState(moments: machine.optimizer.moments, lanes: machine.shards.map(\.state))
        try Checkpoint(
            configuration: configuration, vocabulary: data.vocabulary, parameters: machine.network.parameters,
            training: record, state: state
        ).write(to: output.lastPath, removing: replacesEarlierFiles ? output.path : nil)
        replacesEarlierFiles = false
        lastSaved = Date()
        observe(.saved(path: output.lastPath))
    }
}

/// Makes the folder of an output and proves that the file can be made in it, before hours are spent.
private func prepare(_ path: String) throws(CheckpointError) {
    let folder = folder(of: path)
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
        throw .cannotCreate(path: path, reason: "the folder \(folder) cannot be made")
    }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        throw .cannotCreate(path: path, reason: "it is a folder")
    }
    AtomicFile.sweep(beside: path)
    _ = try AtomicFile(replacing: path)
}
