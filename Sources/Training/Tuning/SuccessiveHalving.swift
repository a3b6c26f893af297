import CharacterModel
import Cluster
import FoundationEssentials
import Glibc

/// Chooses between candidates by successive halving (Jamieson & Talwalkar 2016; a bracket of Hyperband, Li et al.
/// 2018): each round trains the remaining candidates for the same time, keeps the better half, and gives it twice as
/// much time.
///
/// A candidate's learning rate decays along a cosine to the end of each round, so that it is judged fairly, and rises
/// again in the next (warm restarts: Loshchilov & Hutter 2017). Weights carry over, so the winner has been trained in
/// all rounds and can be resumed.
///
/// The ranks of a launch share the candidates of a round; nothing else keeps them in step. They read the same texts, and
/// write to a folder that all of them see.
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

    /// The same, as it is stored and told to other ranks.
    struct Outcome: Codable {
        var round: Int
        var index: Int
        var step = 0
        var tokens = 0
        var seconds = 0.0
        /// nil for one whose loss exploded.
        var nats: Double?
    }

    package let candidates: [TuningCandidate]
    private let data: TrainingData
    private let record: TrainingRecord
    private let output: Trainer.Output
    private let threads: Int
    private let cluster: Cluster?
    /// How a candidate exploded, if one did here.
    private var explosion: TrainingError?

    /// - Parameters:
    ///   - record: options and corpus of the training run; each candidate overrides its values, and the rounds replace
    ///     its budget.
    ///   - output: where the winner's files go; the candidates' files go in a folder beside it.
    ///   - cluster: the ranks that share the candidates, all of which run this; nil for this process alone.
    /// - Requires: a validation part.
    package init(
        _ candidates: [TuningCandidate], data: TrainingData, record: TrainingRecord, output: Trainer.Output,
        threads: Int, cluster: Cluster? = nil
    ) {
        precondition(!candidates.isEmpty && data.validation != nil, "tuning needs candidates and a validation part")
        self.candidates = candidates
        self.data = data
        self.record = record
        self.output = output
        self.threads = threads
        self.cluster = cluster
    }

    private var isLeader: Bool { cluster?.isLeader ?? true }
    /// How many candidates are trained at the same time.
    package var ranks: Int { cluster?.ranks ?? 1 }

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
    /// - Returns: the index of the winner; nil if stopped, with the candidates left in the folder: the same tuning,
    ///   started again, keeps the rounds that they have finished.
    /// - Throws: `TrainingError.diverged` if every candidate's loss exploded; `CheckpointError`.
    package func run(
        seconds: Double, shouldStop: @Sendable () -> Bool = { false }, events: (TrainingEvent) -> Void = { _ in },
        observe: (Result) -> Void = { _ in }
    ) throws -> Int? {
        let place = isLeader ? try lockOutput() : nil
        defer { withExtendedLifetime(place) {} }
        let journal = TuningJournal(folder: folder, candidates, record, seconds: seconds, ranks: ranks)
        var left = Array(candidates.indices)
        var spent = 0.0
        for round in 1...rounds {
            let turns = (left.count + ranks - 1) / ranks
            let share = seconds / Double(rounds) / Double(turns)
            spent += share
            let turn = Round(number: round, candidates: left, end: spent, share: share)
            guard let outcomes = try run(turn, journal, shouldStop, observe) else { return nil }
            let results = outcomes.map(result)
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
        if isLeader { try install(left[0], place?.metrics, events) }
        return left[0]
    }

    /// Locks the output, and checks that it can be written.
    private func lockOutput() throws -> (lock: OutputLock, metrics: MetricsFile?) {
        try makeFolder(of: output.path)
        let lock = try OutputLock(of: output.path)
        for path in [output.path, output.lastPath] { try prepare(path) }
        _ = try number()
        return (lock, try output.metricsPath.map { try MetricsFile(path: $0, .later) })
    }

    // MARK: A round

    private struct Round {
        var number: Int
        var candidates: [Int]
        /// The seconds that each has had at its end, and those of this round.
        var end: Double
        var share: Double
    }

    /// Trains the candidates of a round, those of other ranks included; nil if it was stopped.
    private func run(
        _ round: Round, _ journal: TuningJournal, _ shouldStop: @Sendable () -> Bool, _ observe: (Result) -> Void
    ) throws -> [Outcome]? {
        guard let cluster else {
            return try runOwn(round, journal, shouldStop) { observe(result($0)) }
        }
        let communicator = cluster.communicator
        func runShare() throws -> [Outcome]? {
            try runOwn(round, journal, { shouldStop() || communicator.failure != nil }, { _ in })
        }
        let own = try cluster.together(facts: { _ in [] }, runShare)
        let all = try cluster.collect(value: own ?? [])
        let isStopped = try cluster.collect(value: own == nil).contains(true)
        let outcomes = try cluster.share(
            value: isStopped ? nil : all.flatMap(\.self).sorted { $0.index < $1.index })
        for outcome in outcomes ?? [] { observe(result(outcome)) }
        return outcomes
    }

    /// Trains this rank's candidates of a round; nil if it was stopped.
    private func runOwn(
        _ round: Round, _ journal: TuningJournal, _ shouldStop: @Sendable () -> Bool, _ observe: (Outcome) -> Void
    ) throws -> [Outcome]? {
        let rank = cluster?.rank ?? 0
        var outcomes: [Outcome] = []
        for (place, index) in round.candidates.enumerated() where place % ranks == rank {
            let known = journal.outcomes(of: index).first { $0.round == round.number }
            if known == nil && round.number == 1 { journal.forget(index) }
            guard let outcome = try known ?? train(index, round, shouldStop) else { return nil }
            if known == nil { journal.add(outcome, of: index) }
            outcomes.append(outcome)
            observe(outcome)
        }
        return outcomes
    }

    private func result(_ outcome: Outcome) -> Result {
        Result(
            round: outcome.round, index: outcome.index, candidate: candidates[outcome.index], step: outcome.step,
            tokens: outcome.tokens, seconds: outcome.seconds, nats: outcome.nats ?? .infinity)
    }

    private func train(_ index: Int, _ round: Round, _ shouldStop: @Sendable () -> Bool) throws -> Outcome? {
        do {
            let reached = try train(
                index, until: round.end, share: round.share, goesOn: round.number > 1, shouldStop)
            guard let reached else { return nil }
            return Outcome(
                round: round.number, index: index, step: reached.step, tokens: reached.tokens,
                seconds: reached.seconds, nats: reached.bestValidation)
        } catch let error as TrainingError {
            guard case .diverged = error else { throw error }
            explosion = error
            return Outcome(round: round.number, index: index)
        }
    }

    /// The minimum number of steps to judge a candidate fairly: a full warm-up.
    private static let fairSteps = 100

    /// The fewest steps of any candidate in the first round, and the seconds that tuning would need for enough steps;
    /// nil if there were enough.
    func lack(of results: [Result]) -> (steps: Int, seconds: Double)? {
        let learned = results.filter { $0.nats.isFinite && $0.step > 0 }
        guard let fewest = learned.map(\.step).min(), fewest < Self.fairSteps else { return nil }
        let turns = (candidates.count + ranks - 1) / ranks
        let slowest = learned.map { $0.seconds / Double($0.step) }.max()!
        return (fewest, slowest * Double(Self.fairSteps * rounds * turns))
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
        let candidate = candidates[index]
        var place = output(of: index)
        // Networks are compared; the winner is mixed with counts when it goes on.
        place.mixesCounts = false
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
            let journal = TuningJournal.path(of: index, in: folder)
            for path in [place.path, place.lastPath, place.metricsPath, journal].compactMap(\.self) {
                try? files.remove(path)
            }
        }
        rmdir(folder)
    }
}
