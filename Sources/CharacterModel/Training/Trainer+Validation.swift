import Foundation

extension Trainer {
    /// Scores the validation part in lanes, and keeps the weights if none were better.
    ///
    /// - Returns: false if it was stopped.
    func validate(_ shouldStop: @Sendable () -> Bool) throws -> Bool {
        guard let validation = data.validation else { return true }
        let began = now()
        guard let total = machine.network.scoreInLanes(validation, using: workers, isCancelled: shouldStop) else {
            return false
        }
        let nats = total / Double(validation.count)
        guard nats.isFinite else {
            try recover("the validation loss is not finite")
            return true
        }
        // A model far worse than one that knows nothing is exploding, and takes no better one's place.
        let knowingNothing = log(Double(data.vocabulary.count)) + validation.spellingNats / Double(validation.count)
        let isSane = record.isFinished || (record.recovery.monitor.isCalm && nats < 2 * knowingNothing)
        let isBest = isSane && record.bestValidation.map { nats < $0 } ?? true
        record.validations += 1
        record.validationsSinceBest = isBest ? 0 : record.validationsSinceBest + 1
        validatedStep = record.step
        record.seconds = now() - started
        if isBest {
            weightsAreBest = true
            record.bestValidation = nats
            record.bestStep = record.step
        }
        validationSeconds.last = now() - began
        validationSeconds.all += validationSeconds.last
        lastValidated = record.seconds
        tell(.validation(report(nats, isExact: false, isBest: isBest)))
        if isBest { saveBest() }
        return true
    }

    private func report(_ nats: Double, isExact: Bool, isBest: Bool) -> ValidationReport {
        let total = nats * Double(data.validationSymbols)
        let step = isExact ? record.bestStep ?? record.step : record.step
        return ValidationReport(
            step: step, epoch: epochs(after: step), seconds: record.seconds,
            nats: nats, bitsPerCharacter: total / log(2) / Double(max(1, data.validationCharacters)),
            isExact: isExact, isBest: isBest)
    }

    /// Scores the weights in the output file as `perplexity` does. False if it was stopped.
    func validateExactly(shouldStop: @Sendable () -> Bool) throws -> Bool {
        guard let validation = data.validation, output.scoresExactly else { return true }
        observe(.scoring(symbols: validation.count))
        let network: Network<Float>
        if weightsAreBest {
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
        guard network.scoreExactly(validation, using: workers, isCancelled: shouldStop, { _, _, one, _ in nats += one })
        else {
            return false
        }
        tell(.validation(report(nats / Double(validation.count), isExact: true, isBest: true)))
        return true
    }
}
