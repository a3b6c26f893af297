import CharacterModel
import RecurrentNetwork

extension Trainer {
    /// The next action of a training run.
    private enum Action {
        case step
        /// The validation of this step; training continues after it.
        case validate
        /// The final validation, which may cause a return to an earlier state.
        case validateEnd
        case finish
    }

    /// Runs until the budget is spent or `shouldStop` returns true, then finishes the step, saves, and scores the best
    /// model.
    ///
    /// - Throws: `TrainingError.diverged` if the loss explodes repeatedly; `.checkpoint` if the final save fails, or
    ///   another training run has written to the output since the last run. Earlier saves are then left unchanged.
    public func run(shouldStop: @Sendable () -> Bool = { false }) throws(TrainingError) -> Ending {
        do { return try loop(shouldStop) } catch {
            saver.saveWhatWaits()
            throw TrainingError(error)
        }
    }

    private func loop(_ shouldStop: @Sendable () -> Bool) throws -> Ending {
        try saver.lockAgain()
        defer { saver.unlock() }
        budget.start(after: record)
        saver.start()
        // A resumed run may have a different budget or more patience.
        if record.step > 0 && !record.owesValidation { record.isFinished = budget.isOver(record) }
        let endedBefore = wasFinished && record.isFinished && saver.bestExists
        if !endedBefore { counts?.count(using: workers) }
        while true {
            switch nextAction(endedBefore) {
            case .finish: return try finish(endedBefore, shouldStop)
            case .validateEnd:
                guard try validate(shouldStop) else {
                    // A resumed run starts with this validation.
                    (record.isFinished, record.owesValidation) = (false, true)
                    try saveLast(isFinal: true)
                    return .stopped
                }
                record.isFinished = budget.isOver(record)
                continue
            case .step:
                let before = budget.progress(record)
                guard let report = try step() else { continue }
                if record.step % saver.output.logEvery == 0 || budget.isSpent(record) { emit(report) }
                record.owesValidation = validation.isDue(record, budget, since: before)
                sample(atValidation: false)
                if record.owesValidation { continue }
            case .validate: record.owesValidation = try !validate(shouldStop)
            }
            record.isFinished = !record.owesValidation && budget.isOver(record)
            if record.isFinished { continue }
            let stops = shouldStop()
            if stops || saver.isDue { try saveLast(isFinal: stops) }
            if stops { return .stopped }
        }
    }

    private func nextAction(_ endedBefore: Bool) -> Action {
        guard record.isFinished else { return record.owesValidation ? .validate : .step }
        let isValidated = endedBefore || !validation.isPossible || validation.lastStep == record.step
        return isValidated ? .finish : .validateEnd
    }

    /// Saves the final state, and scores the best model.
    private func finish(_ endedBefore: Bool, _ shouldStop: @Sendable () -> Bool) throws -> Ending {
        if !endedBefore {
            // There is no best model from validation, so the last weights become the model.
            if record.bestValidation == nil { saveBest(mixture()) }
            if let later = saver.later, saver.hasBetter(than: record.bestValidation) {
                (record.bestValidation, record.bestStep) = (later.nats, later.step)
            }
            try saveLast(isFinal: true)
        }
        let isScored = try validateExactly(shouldStop)
        try saver.flushMetrics()
        return isScored ? .finished : .stopped
    }

    // MARK: One step

    /// Runs one step; nil if the loss exploded and training returned to an earlier state.
    private func step() throws -> StepReport? {
        let began = now()
        let options = record.options
        if record.window == 0 { try engine.clearState() }
        let stepRate =
            rate.full * record.recovery.rateFactor
            * options.schedule.factor(step: record.step, progress: budget.progress(record), warmup: rate.warmup)
        // Weights are known to be good only once a loss was computed with them, so save the lane states from before
        // that.
        let lanes = RecoveryKeeper.isDue(record) ? try engine.laneState : nil
        let window = nextWindow()
        let outcome = try engine.gradient(of: window)
        let nats = outcome.losses.reduce(0, +)
        let mean = nats / Double(window.symbols)
        guard outcome.norm.isFinite || !mean.isFinite else { return try recover("the gradient is not finite") }
        if let flaw = record.recovery.monitor.flaw(in: mean) { return try recover(flaw) }
        if let lanes, record.recovery.monitor.isCalm { try recovery.keep(engine, lanes: lanes, &record) }
        record.step += 1
        weightsAreBest = false
        let isFinite = try engine.update(
            UpdateStep(
                step: record.step, scale: clipFactor(norm: outcome.norm, limit: options.clip), rate: stepRate,
                decay: options.weightDecay))
        guard isFinite else { return try recover("the weights are not finite") }
        record.advance(symbols: window.symbols, nats: nats, windows: feed.schedule.windows)
        if let halves = outcome.halves { note(halves) }
        record.pendingSeconds += now() - began
        record.seconds = budget.seconds
        return report(rate: stepRate, norm: outcome.norm)
    }

    private func note(_ halves: GradientHalves) {
        let groups = LaneGroups(batch: feed.schedule.lanes.count)
        let lanes = groups.ranges[groups.ranges.count / 2].lowerBound
        guard lanes > 0 else { return }
        // The sum over half of the lanes was divided by the symbols of all.
        let share = Double(groups.lanes) / Double(lanes)
        var pending = record.pendingNoise ?? PendingNoise()
        pending.add(half: halves.first * share * share, lanes: lanes, whole: halves.whole, batch: groups.lanes)
        record.pendingNoise = pending
    }

    private func report(rate: Double, norm: Double) -> StepReport {
        StepReport(
            step: record.step, epoch: Double(record.step) / Double(feed.schedule.windows), tokens: record.tokens,
            seconds: record.seconds, trainNats: record.pendingNats / Double(record.pendingTokens), learningRate: rate,
            gradientNorm: norm, gradientNoiseScale: record.pendingNoise?.scale,
            tokensPerSecond: Double(record.pendingTokens) / record.pendingSeconds,
            progress: budget.progress(record))
    }

    private func emit(_ report: StepReport) {
        tell(.step(report))
        record.clearPending()
    }

    private func tell(_ event: TrainingEvent) {
        if let line = event.metricsLine { saver.append(line) }
        observe(event)
    }

    /// Returns to the last good state; the step then has no report.
    @discardableResult
    private func recover(_ flaw: String) throws -> StepReport? {
        let report = try recovery.goBack(engine, &record, because: flaw, rate: rate.full)
        validation.goBack()
        weightsAreBest = false
        tell(.recovery(report))
        return nil
    }

    // MARK: Validation and saving

    /// Scores the validation part in lanes, and saves the weights if they are the best so far.
    ///
    /// - Returns: false if stopped.
    private func validate(_ shouldStop: @Sendable () -> Bool) throws -> Bool {
        guard validation.isPossible else { return true }
        let began = now()
        let mixture = mixture()
        lastMixture = mixture
        guard let nats = validation.score(engine, mixing: mixture, using: workers, isCancelled: shouldStop) else {
            return false
        }
        guard nats.isFinite else {
            try recover("the validation loss is not finite")
            return true
        }
        record.seconds = budget.seconds
        let isBest = validation.take(nats, began: began, into: &record)
        let told = now()
        tell(
            .validation(
                validation.report(nats, record, isExact: false, isBest: isBest, progress: budget.progress(record))))
        // Drawing a report is not training.
        budget.pause(for: now() - told)
        if isBest { saveBest(mixture) }
        sample(atValidation: true)
        return true
    }

    /// The counts with the gate that suits the weights of now; nil for a network alone.
    func mixture() -> CountMixture? {
        counts.map { counts in engine.withNetwork { counts.mixture(with: $0, using: workers) } }
    }

    private func saveBest(_ mixture: CountMixture?) {
        guard !saver.hasBetter(than: record.bestValidation) else { return }
        weightsAreBest = true
        bestMixture = mixture
        engine.withParameters {
            saver.saveBest(
                Checkpoint(
                    configuration: configuration, vocabulary: data.vocabulary, parameters: $0,
                    training: record, state: nil, mixture: mixture))
        }
    }

    private func saveLast(isFinal: Bool) throws {
        // Use a copy, because an observer of the save may read the record.
        var saved = record
        defer { record = saved }
        try saver.saveLast(&saved, isFinal: isFinal, budget) { record, write in
            try engine.withState { state in
                try write(
                    Checkpoint(
                        configuration: configuration, vocabulary: data.vocabulary, parameters: state.parameters,
                        training: record, state: state, recoveryPoint: recovery.point))
            }
        }
    }

    /// Scores the best model exactly, as an evaluation does. False if stopped.
    private func validateExactly(_ shouldStop: @Sendable () -> Bool) throws -> Bool {
        guard let text = data.validation, saver.output.scoresExactly else { return true }
        observe(.scoring(symbols: text.count))
        var nats = 0.0
        func score(_ network: Network<Float>) -> Bool {
            network.scoreExactly(text, mixing: bestMixture, using: workers, isCancelled: shouldStop) { nats += $0.nats }
        }
        let isScored =
            weightsAreBest
            ? engine.withNetwork(score)
            : score(Network(configuration, try keptParameters(), learns: false, using: workers))
        guard isScored else { return false }
        let mean = nats / Double(text.count)
        tell(.validation(validation.report(mean, record, isExact: true, isBest: true)))
        return true
    }

    /// The weights in the output file.
    private func keptParameters() throws -> Parameters<Float> {
        let path = saver.output.path
        let best = try Checkpoint(contentsOf: path)
        bestMixture = best.mixture
        guard best.configuration == configuration, best.vocabulary.symbols == data.vocabulary.symbols else {
            throw CheckpointError.badMetadata(
                path: path, key: "configuration", reason: "it is not the model of this training run")
        }
        return best.parameters
    }
}

extension TrainingRecord {
    /// Counts a completed step.
    fileprivate mutating func advance(symbols: Int, nats: Double, windows: Int) {
        tokens += symbols
        pendingNats += nats
        pendingTokens += symbols
        window += 1
        guard window == windows else { return }
        window = 0
        epoch += 1
    }
}
