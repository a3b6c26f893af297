import CharacterModel
import RecurrentNetwork

/// The last good state of a training run, to return to when its loss explodes.
struct RecoveryKeeper {
    private(set) var point: EngineState<Float>?

    init(_ point: EngineState<Float>?) { self.point = point }

    /// Whether to keep the state at this step if it turns out to be good.
    static func isDue(_ record: TrainingRecord) -> Bool { record.step % LossMonitor.interval == 0 }

    /// Keeps the state before a step whose loss was normal: only then are the weights known to be good.
    ///
    /// - Parameter lanes: the lane states before the step's window.
    mutating func keep(_ engine: any Engine<Float>, lanes: NetworkState<Float>, _ record: inout TrainingRecord) throws {
        // The earlier one is no longer needed; without it, there is room for the new one.
        point = nil
        var state = try engine.state
        state.lanes = lanes
        point = state
        record.recovery.point = RecoveryRecord.Point(record)
    }

    /// Returns to the kept state and halves the learning rate.
    ///
    /// - Throws: `TrainingError.diverged` if the limit of recoveries is reached, or there is no good state; errors of the engine.
    func goBack(
        _ engine: any Engine<Float>, _ record: inout TrainingRecord, because flaw: String, rate: Double
    ) throws -> RecoveryReport {
        let (step, limit) = (record.step, record.options.maxRecoveries)
        guard let point, let place = record.recovery.point, record.recovery.count < limit else {
            throw TrainingError.diverged(step: step, flaw: flaw, recoveries: record.recovery.count)
        }
        try engine.restore(point)
        record.goBack(to: place)
        return RecoveryReport(
            step: step, flaw: flaw, point: place.step, count: record.recovery.count, limit: limit,
            learningRate: rate * record.recovery.rateFactor)
    }
}
