import Foundation

extension Trainer {
    /// Runs until the budget is spent or `shouldStop` says so; finishes the step, saves, and scores the best model.
    ///
    /// - Throws: `TrainingError.diverged` if the loss explodes again and again; `CheckpointError` if at the end nothing can
    ///   be saved. What was saved before is intact then.
    public func run(shouldStop: @Sendable () -> Bool = { false }) throws -> Ending {
        defer {
            lock = nil
            metrics?.unlock()
        }
        started = now() - record.seconds
        lastSaved = now()
        // A resumed training may have been given another budget, or more patience.
        if record.step > 0 && !record.owesValidation { record.isFinished = isSpent || isOutOfPatience }
        let endedBefore = wasFinished && record.isFinished && FileManager.default.fileExists(atPath: output.path)
        while true {
            if record.isFinished {
                // The last validation may find that the training must go back.
                guard !endedBefore, data.validation != nil, validatedStep != record.step else { break }
                if try !validate(shouldStop) {
                    // A resumed run begins with it.
                    (record.isFinished, record.owesValidation) = (false, true)
                    try saveLast(isFinal: true)
                    return .stopped
                }
                record.isFinished = isSpent || isOutOfPatience
                continue
            }
            if !record.owesValidation {
                guard let report = try step() else { continue }
                if record.step % output.logEvery == 0 || isSpent { emit(report) }
                record.owesValidation = isValidationDue
            }
            if record.owesValidation { record.owesValidation = try !validate(shouldStop) }
            record.isFinished = !record.owesValidation && (isSpent || isOutOfPatience)
            if record.isFinished { continue }
            let stops = shouldStop()
            if stops || now() - lastSaved >= output.checkpointEvery { try saveLast(isFinal: stops) }
            if stops { return .stopped }
        }
        if !endedBefore {
            // No validation, or none whose model was worth keeping: the last weights are the model.
            if record.bestValidation == nil {
                weightsAreBest = true
                saveBest()
            }
            try saveLast(isFinal: true)
        }
        let isScored = try validateExactly(shouldStop: shouldStop)
        try metrics?.flush()
        return isScored ? .finished : .stopped
    }

    // MARK: One step

    /// Makes a step; nil if the loss exploded and the training went back to an earlier state.
    private func step() throws -> StepReport? {
        let began = now()
        progressBefore = progress
        if record.window == 0 { machine.clearState() }
        let options = record.options
        let rate =
            options.learningRate * record.recovery.rateFactor
            * options.schedule.factor(step: record.step, progress: progressBefore, warmup: options.warmup)
        // Weights are known to be good once a loss was computed with them; the states then are those before it.
        let states = record.step % LossMonitor.interval == 0 ? machine.shards.map(\.state) : nil
        let outcome = gradient()
        let nats = outcome.nats / Double(outcome.symbols)
        guard outcome.gradientNorm.isFinite || !nats.isFinite else { return try recover("the gradient is not finite") }
        if let flaw = record.recovery.monitor.flaw(in: nats) { return try recover(flaw) }
        if let states, record.recovery.monitor.isCalm {
            recoveryPoint = Checkpoint.TrainerState(
                parameters: machine.network.parameters.copy(configuration),
                moments: machine.optimizer.moments.map { $0.copy(configuration) }, lanes: states)
            record.recovery.point = RecoveryRecord.Point(record)
        }
        record.step += 1
        weightsAreBest = false
        machine.update(
            step: record.step, norm: outcome.gradientNorm, clip: options.clip, rate: rate, decay: options.weightDecay)
        guard weightsAreFinite else { return try recover("the weights are not finite") }
        record.tokens += outcome.symbols
        record.pendingNats += outcome.nats
        record.pendingTokens += outcome.symbols
        record.window += 1
        if record.window == schedule.windows {
            record.window = 0
            record.epoch += 1
        }
        record.pendingSeconds += now() - began
        record.seconds = max(0, now() - started)
        return StepReport(
            step: record.step, epoch: epochs(after: record.step), tokens: record.tokens, seconds: record.seconds,
            trainNats: record.pendingNats / Double(record.pendingTokens), learningRate: rate,
            gradientNorm: outcome.gradientNorm, tokensPerSecond: Double(record.pendingTokens) / record.pendingSeconds,
            progress: progress)
    }

    /// The gradient of the window that comes next.
    private func gradient() -> TrainingStep<Float>.Outcome {
        let steps = schedule.steps(ofWindow: record.window)
        feed.turn(to: steps, epoch: record.epoch)
        return machine.accumulate(
            steps: steps.count, symbols: schedule.symbols(ofWindow: record.window),
            step: record.step,
            fill: fill)
    }

    /// A step without its effect, for measuring.
    func rehearse() { _ = gradient() }

    private func emit(_ report: StepReport) {
        tell(.step(report))
        record.clearPending()
    }

    func tell(_ event: TrainingEvent) {
        if let metrics, let line = event.metricsLine { metrics.append(line) }
        observe(event)
    }

    func epochs(after step: Int) -> Double { Double(step) / Double(schedule.windows) }

    // MARK: Recovery

    /// Whether the weights and the optimizer's moments are.
    var weightsAreFinite: Bool {
        ([machine.network.parameters] + machine.optimizer.moments).allSatisfy {
            machine.optimizer.norm(of: $0, using: workers).isFinite
        }
    }

    /// Goes back to the last good state, with half the learning rate from now on.
    ///
    /// - Returns: nil always: there is no report of the step.
    /// - Throws: `TrainingError.diverged` if that has been tried often enough, or nothing was ever good.
    @discardableResult
    func recover(_ flaw: String) throws -> StepReport? {
        let step = record.step
        guard let recoveryPoint, let point = record.recovery.point,
            record.recovery.count < record.options.maxRecoveries
        else {
            saveWhatWaits()
            throw TrainingError.diverged(step: step, flaw: flaw, recoveries: record.recovery.count)
        }
        (validatedStep, weightsAreBest) = (-1, false)
        machine.restore(recoveryPoint)
        record.goBack(to: point)
        tell(
            .recovery(
                RecoveryReport(
                    step: step, flaw: flaw, point: point.step, count: record.recovery.count,
                    limit: record.options.maxRecoveries,
                    learningRate: record.options.learningRate * record.recovery.rateFactor)))
        return nil
    }
}
