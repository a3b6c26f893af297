import Foundation

/// What is saved, in which order: the best model is on the disk before any resumable state that records it, and so are the
/// lines of the metrics that the state counts; it holds those that are not. What cannot be saved is kept and tried again,
/// until the training ends.
extension Trainer {
    /// The step of the best model in the output file, if this training has put one there.
    public var savedStep: Int? { replacesEarlierFiles || pendingBest != nil ? nil : record.bestStep }

    /// Saves the weights as the best model, or keeps them to be saved later.
    func saveBest() {
        let best = checkpoint(state: nil)
        do {
            try save(best, to: output.path, removing: output.lastPath)
            pendingBest = nil
        } catch {
            pendingBest = Checkpoint(
                configuration: configuration, vocabulary: data.vocabulary,
                parameters: best.parameters.copy(configuration), training: record, state: nil)
            observe(.notSaved(path: output.path, reason: "\(error)"))
        }
    }

    /// Saves the state of the training.
    ///
    /// - Parameter isFinal: whether a failure ends the training; else it is told, and tried again in due time.
    func saveLast(isFinal: Bool) throws {
        do {
            if let best = pendingBest { try save(best, to: output.path, removing: output.lastPath) }
            pendingBest = nil
            // Metrics that cannot be written are no reason to save nothing: the state keeps them.
            do { try metrics?.flush() } catch { observe(.notSaved(path: error.path, reason: "\(error)")) }
            record.metricsLength = metrics?.length ?? 0
            record.metricsWaiting = metrics?.waitingLines
            record.seconds = max(0, now() - started)
            try save(checkpoint(state: machine.state), to: output.lastPath, removing: output.path)
        } catch {
            guard !isFinal else { throw error }
            observe(.notSaved(path: output.lastPath, reason: "\(error)"))
        }
        lastSaved = now()
    }

    /// Saves what waits to be saved, when a training ends without a state that is worth saving.
    func saveWhatWaits() {
        if let best = pendingBest, (try? save(best, to: output.path, removing: output.lastPath)) != nil {
            pendingBest = nil
        }
        try? metrics?.flush()
    }

    private func checkpoint(state: Checkpoint.TrainerState?) -> Checkpoint {
        Checkpoint(
            configuration: configuration, vocabulary: data.vocabulary, parameters: machine.network.parameters,
            training: record, state: state, recoveryPoint: state == nil ? nil : recoveryPoint)
    }

    /// - Parameter stale: what an earlier training may have left beside it.
    private func save(_ checkpoint: Checkpoint, to path: String, removing stale: String) throws(CheckpointError) {
        // Somebody may have removed the folder.
        try? FileManager.default.createDirectory(atPath: folder(of: path), withIntermediateDirectories: true)
        // Once the other training's file is gone, whatever stands there is this one's.
        defer { if !FileManager.default.fileExists(atPath: stale) { replacesEarlierFiles = false } }
        try checkpoint.write(to: path, removing: replacesEarlierFiles ? stale : nil, on: output.files)
        replacesEarlierFiles = false
        observe(.saved(path: path))
    }
}
