import CharacterModel
import Foundation
import RecurrentNetwork

/// Saves a training: the best model is on the disk before any resumable state that records it, and so are the lines of the
/// metrics that the state counts; it holds those that are not. What cannot be saved is kept and tried again, until the training
/// ends.
final class CheckpointSaver {
    let output: Trainer.Output
    private var metrics: MetricsFile?
    private let observe: (TrainingEvent) -> Void
    private var lastSaved = Double.infinity
    /// The best model, where it could not be saved yet.
    private var pendingBest: Checkpoint?
    /// Whether files of an earlier training may still stand where this one writes: they give way, but not before there is something
    /// to put in their place.
    private var replacesEarlierFiles: Bool
    /// What they are kept under; nil where there are none, or they are given up.
    private var number: Int?
    /// Symbols that the state in the file had been trained on when it was last written or read.
    private var savedTokens: Int
    /// Held until the run ends.
    private var lock: OutputLock?

    /// Locks and proves the output, and opens the metrics file.
    ///
    /// - Parameters:
    ///   - record: is told where its metrics stand.
    ///   - resumes: whether the output is this training's own.
    init(
        _ output: Trainer.Output, _ record: inout TrainingRecord, resumes: Bool,
        observe: @escaping (TrainingEvent) -> Void
    ) throws {
        self.output = output
        self.observe = observe
        replacesEarlierFiles = !resumes
        savedTokens = record.tokens
        try makeFolder(of: output.path)
        // What is swept is nobody's then.
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
            // The best model is gone: the next validation is the best there is.
            (record.bestValidation, record.bestStep) = (nil, nil)
        }
    }

    private func openMetrics(_ path: String?, _ record: inout TrainingRecord, resumes: Bool) throws(CheckpointError) {
        let waiting = record.metricsWaiting
        defer {
            record.metricsPath = metrics?.path
            record.metricsLength = metrics?.length ?? 0
            record.metricsFirstLine = metrics?.firstLine
        }
        guard var path else { return }
        // A checkpoint may come from anybody.
        if let waiting, (try? MetricsLine.lines(of: Data(waiting.utf8), name: "")) == nil {
            throw .badMetadata(
                path: output.lastPath, key: "training", reason: "metrics_waiting holds something else than metrics")
        }
        let isOwn = path == record.metricsPath
        // A later training may have given them another name.
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
        // What stands there may be this training's lines since it was saved, or another training's.
        if record.metricsLength == 0 { return .anew(keptAs: kept(try EarlierFiles.number(for: [path]))) }
        return .own(length: record.metricsLength, firstLine: record.metricsFirstLine)
    }

    /// Whether a file of this training stands where the best model belongs.
    var hasBest: Bool { !replacesEarlierFiles && pendingBest == nil }

    var bestExists: Bool { FileManager.default.fileExists(atPath: output.path) }

    /// Another run may have gone on between the reading and the lock.
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

    /// Keeps others from writing, in a trainer's second run too.
    func lockAgain() throws {
        guard lock == nil else { return }
        lock = try Self.locked(output, tokens: replacesEarlierFiles ? nil : savedTokens)
        try metrics?.lock()
    }

    /// Begins to count the time between saves.
    func start() { lastSaved = now() }

    var isDue: Bool { now() - lastSaved >= output.checkpointEvery }

    /// Lets others write.
    func unlock() {
        lock = nil
        metrics?.unlock()
    }

    func append(_ line: MetricsLine) { metrics?.append(line.text) }

    func flushMetrics() throws(CheckpointError) { try metrics?.flush() }

    /// Saves the best model, or keeps it to be saved later.
    func saveBest(_ best: Checkpoint) {
        pendingBest = best
        do { try savePending() } catch { observe(.notSaved(path: output.path, reason: "\(error)")) }
    }

    private func savePending() throws(CheckpointError) {
        if let best = pendingBest { try save(best, to: output.path, removing: output.lastPath) }
        pendingBest = nil
    }

    /// Saves the state of a training.
    ///
    /// - Parameters:
    ///   - isFinal: whether a failure ends the training; else it is told, and tried again in due time.
    ///   - clock: tells the training's seconds, as late as can be.
    ///   - checkpoint: makes what is saved from the record that belongs to it.
    func saveLast(
        _ record: inout TrainingRecord, isFinal: Bool, _ clock: BudgetMeter,
        _ checkpoint: (TrainingRecord) -> Checkpoint
    ) throws {
        do {
            try savePending()
            // Metrics that cannot be written are no reason to save nothing: the state keeps them.
            do { try metrics?.flush() } catch { observe(.notSaved(path: error.path, reason: "\(error)")) }
            record.metricsLength = metrics?.length ?? 0
            record.metricsFirstLine = metrics?.firstLine
            record.metricsWaiting = metrics?.waitingLines
            record.seconds = clock.seconds
            try save(checkpoint(record), to: output.lastPath, removing: output.path)
            savedTokens = record.tokens
        } catch {
            guard !isFinal else { throw error }
            observe(.notSaved(path: output.lastPath, reason: "\(error)"))
        }
        lastSaved = now()
    }

    /// Saves what waits to be saved, when a training ends without a state that is worth saving.
    func saveWhatWaits() {
        try? savePending()
        try? metrics?.flush()
    }

    /// - Parameter stale: what an earlier training may have left beside it.
    private func save(_ checkpoint: Checkpoint, to path: String, removing stale: String) throws(CheckpointError) {
        // Somebody may have removed the folder.
        try? FileManager.default.createDirectory(atPath: folder(of: path), withIntermediateDirectories: true)
        // Once the other training's file is gone, whatever stands there is this one's.
        let wasThere = FileManager.default.fileExists(atPath: stale)
        defer { if wasThere && !FileManager.default.fileExists(atPath: stale) { replacesEarlierFiles = false } }
        // Others may have taken names in the meantime.
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
