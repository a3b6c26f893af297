import ArgumentParser
import CharacterModel
import CommandSupport
import Foundation

extension Train {
    /// How many candidates tuning begins with: three rounds.
    private static let candidates = 8

    /// Tries candidates around a recommendation, says what became of each, and returns the winner with its state.
    func tune(
        _ recommended: TuningCandidate, for seconds: Double, data: TrainingData, record: TrainingRecord,
        output place: Trainer.Output
    ) throws -> (candidate: TuningCandidate, checkpoint: Checkpoint, record: TrainingRecord) {
        guard data.validation != nil else {
            throw UsageError("--tune needs a validation, and the text leaves none; give --validation FILE")
        }
        var free = Set(TuningCandidate.Dimension.allCases)
        if model.layers != nil { free.remove(.layers) }
        if model.hidden != nil { free.remove(.hidden) }
        if model.dropout != nil { free.remove(.dropout) }
        if model.weightDropout != nil { free.remove(.weightDropout) }
        if training.learningRate != nil { free.remove(.learningRate) }
        if training.window != nil { free.remove(.window) }
        let candidates = recommended.neighbours(Self.candidates, free: free, seed: record.options.seed) {
            var options = record.options
            options.window = $0.window
            return data.trainingSymbols > $0.window && fits($0.configuration, options, data)
        }
        let halving = SuccessiveHalving(candidates, data: data, record: record, output: place, threads: threads.count)
        if !output.quiet {
            StandardError.print(
                "tuning for \(formatted(seconds: seconds)): \(candidates.count) candidates, \(halving.rounds) rounds\n"
                    + "round  layers  hidden  dropout  weights    rate  window     steps      nats")
        }
        Interruption.watch()
        let winner = try halving.run(
            seconds: seconds, shouldStop: { Interruption.isRequested },
            observe: { if !output.quiet { StandardError.print(row($0)) } })
        guard let winner else {
            StandardError.print("stopped; the candidates' trainings so far are in \(quoted(halving.folder))")
            throw Exit(Interruption.exitCode)
        }
        let checkpoint = try Checkpoint(contentsOf: place.lastPath, withState: true)
        var tuned = checkpoint.training ?? record
        // The budget comes on top of what the winner was trained for.
        tuned.options.budget =
            switch record.options.budget {
            case .seconds(let seconds): .seconds(tuned.seconds + seconds)
            case .steps(let steps): .steps(tuned.step + steps)
            case .epochs(let epochs): .epochs(min(1_000_000, tuned.epoch + (tuned.window > 0 ? 1 : 0) + epochs))
            }
        (tuned.tunedSteps, tuned.tunedSeconds) = (tuned.step, tuned.seconds)
        tuned.validationsSinceBest = 0
        tuned.metricsPath = place.metricsPath.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        return (candidates[winner], checkpoint, tuned)
    }

    private func row(_ result: SuccessiveHalving.Result) -> String {
        let (candidate, shape) = (result.candidate, result.candidate.configuration)
        let nats = result.nats.isFinite ? formatted(result.nats, decimals: 4) : "exploded"
        let columns: [(text: String, width: Int)] = [
            ("\(result.round)", 5), ("\(shape.layers)", 8), ("\(shape.hidden)", 8), ("\(shape.dropout)", 9),
            ("\(shape.weightDropout)", 9),
            ("\(candidate.learningRate)", 8), ("\(candidate.window)", 8), ("\(formatted(result.step))", 10),
            (nats, 10),
        ]
        return columns.map { String(repeating: " ", count: max(1, $0.width - $0.text.count)) + $0.text }.joined()
    }
}
