import CharacterModel
import Glibc

/// Seconds on a monotonic clock that keeps running while the machine sleeps.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// How much of a training run's budget is spent, by the steps in its record or by the clock.
struct BudgetMeter {
    let budget: TrainingBudget
    /// Steps in the budget; nil for a time limit.
    let totalSteps: Int?
    private let patience: Int?
    /// What tuning used before; not part of the budget's schedule.
    private let tuned: (steps: Int, seconds: Double)
    /// When the first step of this run began, minus the time of earlier runs.
    private var started = Double.infinity

    /// - Parameter windows: the number of windows per epoch.
    init(_ record: TrainingRecord, windows: Int) {
        budget = record.options.budget
        patience = record.options.patience
        tuned = (record.tunedSteps, record.tunedSeconds)
        totalSteps =
            switch budget {
            case .epochs(let epochs): epochs * windows
            case .steps(let steps): steps
            case .seconds: nil
            }
    }

    /// Starts counting the time of a run.
    mutating func start(after record: TrainingRecord) { started = now() - record.seconds }

    /// Takes time out that was not spent on training.
    mutating func pause(for seconds: Double) { started += seconds }

    /// Wall-clock time since the first step, over all runs.
    var seconds: Double { max(0, now() - started) }

    /// The fraction of the budget that is spent, not counting tuning.
    func progress(_ record: TrainingRecord) -> Double {
        func part(_ spent: Double, of budget: Double) -> Double { budget > 0 ? min(1, spent / budget) : 1 }
        if case .seconds(let limit) = budget {
            return part(record.seconds - tuned.seconds, of: limit - tuned.seconds)
        }
        return part(Double(record.step - tuned.steps), of: Double(totalSteps! - tuned.steps))
    }

    /// Whether the budget is spent now.
    func isSpent(_ record: TrainingRecord) -> Bool {
        if case .seconds(let limit) = budget { return record.step > 0 && now() - started >= limit }
        return record.step >= totalSteps!
    }

    /// Whether the budget was spent when a run ended.
    func wasSpent(_ record: TrainingRecord) -> Bool {
        if case .seconds(let limit) = budget { return record.seconds >= limit }
        return record.step >= totalSteps!
    }

    /// Whether validations without improvement have ended the training.
    func isOutOfPatience(_ record: TrainingRecord) -> Bool {
        patience.map { record.validationsSinceBest >= $0 } ?? false
    }

    /// Whether the training is over.
    func isOver(_ record: TrainingRecord) -> Bool { isSpent(record) || isOutOfPatience(record) }

    /// A tenth of the time limit, in seconds: the interval between validations.
    var tenth: Double? {
        guard case .seconds(let limit) = budget else { return nil }
        return (limit - tuned.seconds) / 10
    }
}
