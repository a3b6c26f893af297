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
        /// Whether the best model is scored exactly at the end.
        package var scoresExactly = true
        package var files: any FileSystem = SystemFiles()

        public init(path: String) { self.path = path }

        /// `NAME.last.safetensors` for `NAME.safetensors`.
        public var lastPath: String {
            let suffix = ".safetensors"
            return (path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path) + ".last" + suffix
        }
    }

    public internal(set) var record: TrainingRecord
    let configuration: ModelConfiguration
    let data: TrainingData
    let output: Output
    let machine: TrainingStep<Float>
    let workers: Workers
    let schedule: LaneSchedule
    let feed: TrainingFeed
    let fill: TrainingStep<Float>.Fill
    let metrics: MetricsFile?
    let observe: (TrainingEvent) -> Void
    /// When the first step of this run began, less what earlier runs took.
    var started = Double.infinity
    /// `progress` when the last step began.
    var progressBefore = 0.0
    /// The last good state, to go back to.
    var recoveryPoint: Checkpoint.TrainerState?
    /// What the validations of this run took, and the last of them.
    var validationSeconds = (all: 0.0, last: 0.0)
    /// When the last one ended, on the clock of `record.seconds`, and its step in this run.
    var lastValidated = 0.0
    var validatedStep = -1
    /// Whether the weights are those of the best model.
    var weightsAreBest = false
    /// Whether this training had ended before this run.
    let wasFinished: Bool
    var lastSaved = Double.infinity
    /// The best model, where it could not be saved yet.
    var pendingBest: Checkpoint?
    /// Whether files of an earlier training may still stand where this one writes: it replaces both, but not before it has
    /// something to put in their place.
    var replacesEarlierFiles: Bool
    /// Held until the run ends.
    var lock: OutputLock?

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
        try makeFolder(of: output.path)
        // What is swept is nobody's then.
        lock = try OutputLock(of: output.path)
        // Another run may have gone on between the reading and the lock.
        if checkpoint != nil, FileManager.default.fileExists(atPath: output.lastPath),
            try Checkpoint(contentsOf: output.lastPath).training?.tokens != record.tokens
        {
            throw CheckpointError.changed(path: output.lastPath)
        }
        for path in [output.path, output.lastPath] { try prepare(path) }
        workers = Workers(count: threads)
        schedule = LaneSchedule(
            symbols: data.trainingSymbols, batch: batch, window: options.window, startsFresh: false)
        guard record.isPlausible(windows: schedule.windows) else {
            throw CheckpointError.badMetadata(
                path: output.lastPath, key: "training", reason: "its counters do not fit the text")
        }
        let metricsPath = (output.metricsPath ?? record.metricsPath).map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        // Lines that a resumed run does again are dropped; a file that is not this training's is only added to.
        let kept = checkpoint == nil ? 0 : metricsPath == record.metricsPath ? record.metricsLength : Int.max
        metrics = try metricsPath.map { try MetricsFile(path: $0, keeping: kept, resumes: checkpoint != nil) }
        if metricsPath == record.metricsPath, let waiting = record.metricsWaiting {
            metrics?.append(String(waiting.dropLast()))
        }
        self.record.metricsPath = metricsPath
        self.record.metricsLength = metrics?.length ?? 0
        if checkpoint != nil && !FileManager.default.fileExists(atPath: output.path) {
            // The best model is gone: the next validation is the best there is.
            (self.record.bestValidation, self.record.bestStep) = (nil, nil)
        }
        let parameters: Parameters<Float>
        if let checkpoint {
            // A copy: what was read stays what it was.
            parameters = checkpoint.parameters.copy(configuration)
        } else if let adaptation {
            precondition(adaptation.configuration == configuration, "the weights are of another model")
            parameters = adaptation.parameters
        } else {
            parameters = Parameters(configuration)
            parameters.initialize(configuration, seed: options.seed)
        }
        machine = TrainingStep(
            configuration, parameters: parameters, optimizer: options.optimizer, batch: batch,
            window: options.window, restarts: data.restarts, seed: options.seed, workers: workers)
        let feed = TrainingFeed(data, schedule.lanes, seed: options.seed)
        let lanes = machine.shards.indices.map { [machine] in machine.lanes(ofShard: $0) }
        self.feed = feed
        fill = { feed.fill($0, lanes: lanes[$1]) }
        if let state = checkpoint?.state {
            guard state.lanes.map(\.lanes) == machine.shards.map(\.lanes) else {
                throw TrainingError.corpusChanged(name: "the corpus")
            }
            machine.restore(state)
            recoveryPoint = checkpoint?.recoveryPoint
            guard recoveryPoint.map({ $0.lanes.map(\.lanes) == machine.shards.map(\.lanes) }) ?? true else {
                throw CheckpointError.badShape(path: output.lastPath, tensor: "recovery.trainer.hidden")
            }
        }
    }
}

func makeFolder(of path: String) throws(CheckpointError) {
    let folder = folder(of: path)
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
        throw .cannotCreate(path: path, reason: "the folder \(folder) cannot be made")
    }
}

/// Proves that a file can be made in its place, before hours are spent.
func prepare(_ path: String) throws(CheckpointError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        throw .cannotCreate(path: path, reason: "it is a folder")
    }
    AtomicFile.sweep(beside: path)
    _ = try AtomicFile(replacing: path)
}
