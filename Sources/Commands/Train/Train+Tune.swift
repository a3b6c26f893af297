import CharacterModel
import Cluster
import CommandSupport
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Reports
import Training

extension Train {
    /// The number of candidates tuning starts with: three rounds.
    private static let candidates = 8

    /// Trains variants of the prepared model, reports the result of each, and continues with the winner and its state.
    ///
    /// - Parameter cluster: the ranks that share the candidates; all of them run this.
    func tune(_ preparation: inout Preparation, for seconds: Double, on cluster: Cluster?) throws {
        let (data, record, place) = (preparation.data, preparation.record, preparation.plan.output)
        guard data.validation != nil else {
            throw UsageError("--tune needs a validation, and the text leaves none; give --validation FILE")
        }
        // What fits a machine may not fit another: those of rank 0 are taken.
        let drawn = candidates(around: preparation)
        let candidates = try cluster?.share(value: drawn) ?? drawn
        let halving = SuccessiveHalving(
            candidates, data: data, record: record, output: place, threads: threads.count, cluster: cluster)
        if !output.quiet {
            StandardError.print(
                "tuning for \(formatted(seconds: seconds)): \(candidates.count) candidates, \(halving.rounds) rounds"
                    + (halving.ranks > 1 ? ", \(halving.ranks) candidates at a time" : "") + "\n"
                    + "round  layers  hidden  dropout  weights    rate  window     steps      nats")
        }
        Interruption.watch()
        let winner = try halving.run(
            seconds: seconds, shouldStop: { Interruption.isRequested },
            events: { if let word = ProgressReport.message(for: $0) { StandardError.print(word) } },
            observe: { if !output.quiet { StandardError.print(row($0)) } })
        // After a stop too, the other ranks wait for what comes next.
        cluster?.isAtOne = true
        guard cluster?.isLeader ?? true else { return }
        guard let winner else {
            StandardError.print(
                "stopped; the same command goes on with the candidates in \(quoted(halving.folder))")
            throw Exit(Interruption.exitCode)
        }
        let checkpoint = try Checkpoint(contentsOf: place.lastPath, withState: true)
        preparation.configuration = candidates[winner].configuration
        preparation.record = (checkpoint.training ?? record).tuned(
            for: record.options.budget, metrics: place.metricsPath)
        preparation.checkpoint = checkpoint
    }

    /// The recommended candidate, and others that vary the options that no flag sets.
    private func candidates(around preparation: Preparation) -> [TuningCandidate] {
        let asked = asked
        let free = TuningCandidate.Dimension.allCases.filter {
            !asked.isGiven($0.option) && preparation.configuration.cell.uses($0.option.name)
        }
        let recommended = TuningCandidate(preparation.configuration, preparation.record.options)
        let data = preparation.data
        return recommended.neighbours(Self.candidates, free: Set(free), seed: preparation.record.options.seed) {
            var options = preparation.record.options
            options.window = $0.window
            let needed = Trainer.memory(
                $0.configuration, options: options, restarts: data.restarts, threads: threads.count)
            return data.trainingSymbols > $0.window && availableMemory().map { needed <= $0 } ?? true
        }
    }

    private func row(_ result: SuccessiveHalving.Result) -> String {
        let (candidate, shape) = (result.candidate, result.candidate.configuration)
        let nats = result.nats.isFinite ? formatted(result.nats, decimals: 4) : "diverged"
        let columns: [(text: String, width: Int)] = [
            ("\(result.round)", 5), ("\(shape.layers)", 8), ("\(shape.hidden)", 8), ("\(shape.dropout)", 9),
            ("\(shape.weightDropout)", 9),
            ("\(candidate.learningRate)", 8), ("\(candidate.window)", 8), ("\(formatted(result.step))", 10),
            (nats, 10),
        ]
        return columns.map { String(repeating: " ", count: max(1, $0.width - $0.text.count)) + $0.text }.joined()
    }
}

extension TrainingRecord {
    /// The record of the tuning's winner, with the training's budget added to what it was already trained for.
    fileprivate func tuned(for budget: TrainingBudget, metrics: String?) -> TrainingRecord {
        var tuned = self
        tuned.options.budget =
            switch budget {
            case .seconds(let seconds): .seconds(self.seconds + seconds)
            case .steps(let steps): .steps(step + steps)
            case .epochs(let epochs): .epochs(min(1_000_000, epoch + (window > 0 ? 1 : 0) + epochs))
            }
        (tuned.tunedSteps, tuned.tunedSeconds) = (step, seconds)
        tuned.validationsSinceBest = 0
        tuned.metricsPath = metrics.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        return tuned
    }
}
