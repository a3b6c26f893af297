import CharacterModel
import FoundationEssentials
import Glibc

/// Chooses between candidates by successive halving (Jamieson & Talwalkar 2016; a bracket of Hyperband, Li et al.
/// 2018): each round trains the remaining candidates for the same time, keeps the better half, and gives it twice as
/// much time.
///
/// A candidate's learning rate decays along a cosine to the end of each round, so that it is judged fairly, and rises
/// again in the next (warm restarts: Loshchilov & Hutter 2017). Weights carry over, so the winner has been trained in
/// all rounds and can be resumed.
package final class SuccessiveHalving {
    /// The result of a candidate in a round.
    package struct Result: Sendable {
        /// From 1.
        package var round: Int
        /// The candidate's index, from 0.
        package var index: Int
        package var candidate: TuningCandidate
        /// Steps done so far, and symbols trained on.
        package var step: Int
        package var tokens: Int
        /// Wall-clock time of its steps and validations so far.
        package var seconds: Double
        /// The best validation so far, mean nats per symbol; infinite for one whose loss exploded.
        package var nats: Double
    }

    package let candidates: [TuningCandidate]
    private let data: TrainingData
    private let record: TrainingRecord
    private let output: Trainer.Output
    private let threads: Int

    /// - Parameters:
    ///   - record: options and corpus of the training run; each candidate overrides its values, and the rounds replace
    ///     its budget.
    ///   - output: where the winner's files go; the candidates' files go in a folder beside it.
    /// - Requires: a validation part.
    package init(
        _ candidates: [TuningCandidate], data: TrainingData, record: TrainingRecord, output: Trainer.Output,
        threads: Int
    ) {
        precondition(!candidates.isEmpty && data.validation != nil, "tuning needs candidates and a validation part")
        self.candidates = candidates
        self.data = data
        self.record = record
        self.output = output
        self.threads = threads
    }

    /// The number of rounds until one candidate is left.
    package var rounds: Int { max(1, Int(log2(Double(candidates.count)).rounded(.up))) }

    /// The folder of the candidates' files.
    package var folder: String {
        let suffix = ".safetensors"
        return (output.path.hasSuffix(suffix) ? String(output.path.dropLast(suffix.count)) : output.path) + ".tune"
    }

    /// Where a candidate's files are saved.
    package func output(of index: Int) -> Trainer.Output {
        var place = output
        place.path = "\(folder)/\(index).safetensors"
        place.metricsPath = output.metricsPath == nil ? nil : "\(folder)/\(index).jsonl"
        place.scoresExactly = false
        // Leftover files of a stopped tuning run can be overwritten.
        place.overwrites = true
        return place
    }

    /// Trains and halves until one candidate is left, and moves its files to the output.
    ///
    /// - Parameters:
    ///   - seconds: the total for all rounds, split evenly among them.
    ///   - events: called with the new paths of an earlier training run's files, and if the time is too short.
    ///   - observe: called with the result of each candidate in each round.
    /// - Returns: the index of the winner; nil if stopped, with the candidates left in the folder.
    /// - Throws: `TrainingError.diverged` if every candidate's loss exploded; `CheckpointError`.
    package func run(
        seconds: Double, shouldStop: @Sendable () -> Bool = { false }, events: (TrainingEvent) -> Void = { _ in },
        observe: (Result) -> Void = { _ in }
    ) throws -> Int? {
        try makeFolder(of: output.path)
        let lock = try OutputLock(of: output.path)
        for path in [output.path, output.lastPath] { try prepare(path) }
        _ = try number()
        let metrics = try output.metricsPath.map { try MetricsFile(path: $0, .later) }
        defer { withExtendedLifetime((lock, metrics)) {} }
        var left = Array(candidates.indices)
        var spent = 0.0
        var explosion: (any Error)?
        for round in 1...rounds {
            let share = seconds / Double(rounds) / Double(left.count)
            spent += share
            var results: [Result] = []
            for index in left {
                var result = Result(
                    round: round, index: index, candidate: candidates[index], step: 0, tokens: 0, seconds: 0,
                    nats: .infinity)
                do {
                    guard
                        let reached = try train(index, until: spent, share: share, goesOn: round > 1, shouldStop)
                    else { return nil }
                    (result.step, result.tokens, result.seconds) = (reached.step, reached.tokens, reached.seconds)
                    result.nats = reached.bestValidation ?? .infinity
                } catch let error as TrainingError {
                    guard case .diverged = error else { throw error }
                    explosion = error
                }
                results.append(result)
                observe(result)
            }
            if round == 1, let lack = lack(of: results) {
                events(.unfairChoice(steps: lack.steps, seconds: lack.seconds))
            }
            // Ties keep the order in which candidates were drawn.
            let better = results.filter(\.nats.isFinite).sorted { ($0.nats, $0.index) < ($1.nats, $1.index) }
            left = better.prefix((left.count + 1) / 2).map(\.index)
            guard !left.isEmpty else {
                throw explosion ?? TrainingError.diverged(step: 0, flaw: "no validation was finite", recoveries: 0)
            }
        }
        try install(left[0], metrics, events)
        return left[0]
    }

    /// The minimum number of steps to judge a candidate fairly: a full warm-up.
    private static let fairSteps = 100

    /// The fewest steps of any candidate in the first round, and the seconds that tuning would need for enough steps;
    /// nil if there were enough.
    func lack(of results: [Result]) -> (steps: Int, seconds: Double)? {
        let learned = results.filter { $0.nats.isFinite && $0.step > 0 }
        guard let fewest = learned.map(\.step).min(), fewest < Self.fairSteps else { return nil }
        let slowest = learned.map { $0.seconds / Double($0.step) }.max()!
        return (fewest, slowest * Double(Self.fairSteps * rounds * candidates.count))
    }

    /// The number that the files of an earlier training run are kept under; nil if there are none or they are
    /// discarded.
    private func number() throws(CheckpointError) -> Int? {
        let paths = [output.path, output.lastPath, output.metricsPath].compactMap(\.self)
        return output.overwrites ? nil : try EarlierFiles.number(for: paths)
    }

    /// Continues training a candidate; nil if stopped.
    ///
    /// - Parameters:
    ///   - seconds: the total for its rounds so far.
    ///   - share: the time of this round; the candidate gets at least half of it, however long earlier rounds took.
    private func train(
        _ index: Int, until seconds: Double, share: Double, goesOn: Bool, _ shouldStop: @Sendable () -> Bool
    ) throws -> TrainingRecord? {
        let (candidate, place) = (candidates[index], output(of: index))
        let checkpoint = goesOn ? try Checkpoint(contentsOf: place.lastPath, withState: true) : nil
        var record = checkpoint?.training ?? record
        record.options.learningRate = candidate.learningRate
        record.options.window = candidate.window
        record.options.budget = .seconds(max(seconds, record.seconds + share / 2))
        // The learning rate rises again, and so does the loss.
        record.validationsSinceBest = 0
        let trainer = try Trainer(
            candidate.configuration, data: data, record: record, output: place, threads: threads, resuming: checkpoint)
        return try trainer.run(shouldStop: shouldStop) == .finished ? trainer.record : nil
    }

    /// Moves the winner's files to the output, and removes the others.
    private func install(
        _ winner: Int, _ metrics: MetricsFile?, _ observe: (TrainingEvent) -> Void
    ) throws(CheckpointError) {
        let (from, files) = (output(of: winner), output.files)
        let paths = [output.path, output.lastPath]
        let number = try number()
        do {
            // Even after a crash here, the earlier run's state must never be beside this run's best model, and it must
            // always have a name.
            try EarlierFiles(paths, number: number, stale: nil).keep(on: files)
            if FileManager.default.fileExists(atPath: output.lastPath) { try files.remove(output.lastPath) }
            try files.rename(from.path, to: output.path)
            try files.rename(from.lastPath, to: output.lastPath)
            try files.flushFolder(CharacterModel.folder(of: output.path))
        } catch {
            throw .cannotCreate(path: output.path, reason: "\(error)")
        }
        if let number, FileManager.default.fileExists(atPath: EarlierFiles.numbered(output.path, number)) {
            observe(.kept(path: EarlierFiles.numbered(output.path, number)))
        }
        if let metrics, let source = from.metricsPath {
            try metrics.beginAnew(keptAs: number.map { EarlierFiles.numbered(linkTarget(metrics.path), $0) })
            if let kept = metrics.kept { observe(.keptMetrics(path: kept)) }
            // The metrics may be on another file system.
            guard let lines = FileManager.default.contents(atPath: source) else {
                throw .cannotCreate(path: source, reason: "it cannot be read again")
            }
            try metrics.append(linesOf: lines)
        }
        for index in candidates.indices {
            let place = output(of: index)
            for path in [place.path, place.lastPath, place.metricsPath].compactMap(\.self) { try? files.remove(path) }
        }
        rmdir(folder)
    }
}
