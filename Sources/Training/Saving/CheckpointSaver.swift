import CharacterModel
import FoundationEssentials
import RecurrentNetwork

/// Saves a training run. The best model is on disk before any resumable state that refers to it, and so are the metrics
/// lines that the state counts; the state stores those that are not. Failed saves are retried until the run ends.
final class CheckpointSaver {
    let output: Trainer.Output
    private var metrics: MetricsFile?
    private let observe: (TrainingEvent) -> Void
    private var lastSaved = Double.infinity
    /// The best model, if it has not been saved yet.
    private var pendingBest: Checkpoint?
    /// The best validation of a run that was killed before it saved the state that goes with it, if the file has its model.
    private(set) var later: (step: Int, nats: Double)?
    /// Whether the output paths may still hold files of an earlier training run. They are replaced only once there is
    /// something new to write.
    private var replacesEarlierFiles: Bool
    /// The number they are kept under; nil if there are none or they are discarded.
    private var number: Int?
    /// Symbols that the state in the file had been trained on when it was last written or read.
    private var savedTokens: Int
    /// Held until the run ends.
    private var lock: OutputLock?

    /// Locks the output, checks that it can be written, and opens the metrics file.
    ///
    /// - Parameters:
    ///   - record: receives the path of its metrics.
    ///   - resumes: whether the output belongs to this training run.
    init(
        _ output: Trainer.Output, _ configuration: ModelConfiguration, _ record: inout TrainingRecord, resumes: Bool,
        observe: @escaping (TrainingEvent) -> Void
    ) throws {
        self.output = output
        self.observe = observe
        replacesEarlierFiles = !resumes
        savedTokens = record.tokens
        try makeFolder(of: output.path)
        // Only then are leftover files known to be unused.
        lock = try Self.locked(output, tokens: resumes ? record.tokens : nil)
        for path in [output.path, output.lastPath] { try prepare(path) }
        let path = (output.metricsPath ?? record.metricsPath).map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        if !resumes && !output.overwrites {
            number = try EarlierFiles.number(for: [output.path, output.lastPath, path].compactMap(\.self))
        }
        try openMetrics(path, &record, resumes: resumes)
        if resumes && !FileManager.default.fileExists(atPath: output.path) {
            // The best model is gone, so the next validation counts as the best.
            (record.bestValidation, record.bestStep) = (nil, nil)
        }
        if resumes { later = Self.best(at: output.path, of: configuration, beyond: record) }
    }

    /// The best validation of a model in a file, if it is of the same training run and not the one that the record knows.
    private static func best(
        at path: String, of configuration: ModelConfiguration, beyond record: TrainingRecord
    ) -> (step: Int, nats: Double)? {
        guard let file = try? Checkpoint(contentsOf: path), file.configuration == configuration,
            let best = file.training, best.step != record.bestStep, best.generator == record.generator,
            best.corpus.sha256 == record.corpus.sha256,
            best.corpus.validationSHA256 == record.corpus.validationSHA256
        else { return nil }
        return best.bestValidation.map { (best.step, $0) }
    }

    private func openMetrics(_ path: String?, _ record: inout TrainingRecord, resumes: Bool) throws(CheckpointError) {
        let waiting = record.metricsWaiting
        defer {
            record.metricsPath = metrics?.path
            record.metricsLength = metrics?.length ?? 0
            record.metricsFirstLine = metrics?.firstLine
        }
        guard var path else { return }
        // A checkpoint is untrusted input.
        if let waiting, (try? MetricsLine.lines(of: Data(waiting.utf8), name: "")) == nil {
            throw .badMetadata(
                path: output.lastPath, key: "training", reason: "metrics_waiting does not hold metrics")
        }
        let isOwn = path == record.metricsPath
        // A later training run may have renamed them.
        if resumes && isOwn { path = MetricsFile.find(path, firstLine: record.metricsFirstLine) }
        let file = try MetricsFile(path: path, beginning(of: path, isOwn: isOwn, record, resumes: resumes))
        if let kept = file.kept { observe(.keptMetrics(path: kept)) }
        if let waiting { file.append(String(waiting.dropLast())) }
        metrics = file
    }

    private func beginning(
        of path: String, isOwn: Bool, _ record: TrainingRecord, resumes: Bool
    ) throws(CheckpointError) -> MetricsFile.Beginning {
        func kept(_ number: Int?) -> String? { number.map { EarlierFiles.numbered(linkTarget(path), $0) } }
        if !resumes { return .anew(keptAs: kept(number)) }
        guard isOwn else { return .added(length: record.metricsLength, firstLine: record.metricsFirstLine) }
        // The file may hold lines of this run since its last save, or lines of another run.
        if record.metricsLength == 0 { return .anew(keptAs: kept(try EarlierFiles.number(for: [path]))) }
        return .own(length: record.metricsLength, firstLine: record.metricsFirstLine)
    }

    /// Whether the best model of this training run is saved.
    var hasBest: Bool { !replacesEarlierFiles && pendingBest == nil }

    /// Whether the file already holds a better model than one with this validation.
    func hasBetter(than nats: Double?) -> Bool { later.map { $0.nats < nats ?? .infinity } ?? false }

    var bestExists: Bool { FileManager.default.fileExists(atPath: output.path) }

    /// Another run may have continued between reading and locking.
    private static func locked(
        _ output: Trainer.Output, tokens: Int?
    ) throws -> OutputLock {
        let lock = try OutputLock(of: output.path)
        if let tokens, FileManager.default.fileExists(atPath: output.lastPath),
            try Checkpoint(contentsOf: output.lastPath).training?.tokens != tokens
        {
            throw CheckpointError.changed(path: output.lastPath)
        }
        return lock
    }

    /// Locks the output again for a trainer's second run.
    func lockAgain() throws {
        guard lock == nil else { return }
        lock = try Self.locked(output, tokens: replacesEarlierFiles ? nil : savedTokens)
        try metrics?.lock()
    }

    /// Starts counting the time between saves.
    func start() { lastSaved = now() }

    var isDue: Bool { now() - lastSaved >= output.checkpointEvery }

    /// Releases the locks.
    func unlock() {
        lock = nil
        metrics?.unlock()
    }

    func append(_ line: MetricsLine) { metrics?.append(line.text) }

    func flushMetrics() throws(CheckpointError) { try metrics?.flush() }

    /// Saves the best model, or keeps a copy for a later attempt.
    func saveBest(_ best: Checkpoint) {
        (pendingBest, later) = (best, nil)
        do { try savePending() } catch {
            pendingBest?.parameters = best.parameters.copy(best.configuration)
            observe(.notSaved(path: output.path, reason: "\(error)"))
        }
    }

    private func savePending() throws(CheckpointError) {
        if let best = pendingBest { try save(best, to: output.path, removing: output.lastPath) }
        pendingBest = nil
    }

    /// Saves the state of a training run.
    ///
    /// - Parameters:
    ///   - isFinal: whether a failure ends the run; otherwise it is reported and retried later.
    ///   - clock: gives the run's elapsed seconds, read as late as possible.
    ///   - checkpoint: builds the checkpoint for a record, and passes it on.
    func saveLast(
        _ record: inout TrainingRecord, isFinal: Bool, _ clock: BudgetMeter,
        _ checkpoint: (TrainingRecord, _ write: (Checkpoint) throws -> Void) throws -> Void
    ) throws {
        do {
            try savePending()
            // Save the state even if the metrics cannot be written: the state stores them.
            do { try metrics?.flush() } catch { observe(.notSaved(path: error.path, reason: "\(error)")) }
            record.metricsLength = metrics?.length ?? 0
            record.metricsFirstLine = metrics?.firstLine
            record.metricsWaiting = metrics?.waitingLines
            record.seconds = clock.seconds
            try checkpoint(record) { try save($0, to: output.lastPath, removing: output.path) }
            savedTokens = record.tokens
        } catch let error as CheckpointError where !isFinal {
            observe(.notSaved(path: output.lastPath, reason: "\(error)"))
        }
        lastSaved = now()
    }

    /// Saves what is pending when a run ends without a usable state.
    func saveWhatWaits() {
        try? savePending()
        try? metrics?.flush()
    }

    /// - Parameter stale: the file an earlier training run may have left beside it.
    private func save(_ checkpoint: Checkpoint, to path: String, removing stale: String) throws(CheckpointError) {
        // The folder may have been removed.
        try? FileManager.default.createDirectory(atPath: folder(of: path), withIntermediateDirectories: true)
        // Once the other run's file is gone, the files there belong to this run.
        let wasThere = FileManager.default.fileExists(atPath: stale)
        defer { if wasThere && !FileManager.default.fileExists(atPath: stale) { replacesEarlierFiles = false } }
        // Other runs may have taken names in the meantime.
        if replacesEarlierFiles && !output.overwrites {
            number = try EarlierFiles.number(for: [output.path, output.lastPath], from: number ?? 1)
        }
        let earlier =
            replacesEarlierFiles
            ? EarlierFiles([output.path, output.lastPath], number: number, stale: stale) : .none
        try checkpoint.write(to: path, replacing: earlier, on: output.files)
        if !earlier.kept.isEmpty {
            observe(.kept(path: earlier.kept[0].name))
        }
        replacesEarlierFiles = false
        observe(.saved(path: path))
    }
}
