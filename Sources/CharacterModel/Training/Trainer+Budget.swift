import Foundation

/// Seconds on a clock that nobody sets; it goes on while the machine sleeps.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

extension Trainer {
    /// Whether the budget, or the patience, leaves nothing to do.
    public var hasEnded: Bool {
        let spent: Bool
        switch record.options.budget {
        case .seconds(let limit): spent = record.seconds >= limit
        case .epochs, .steps: spent = record.step >= totalSteps!
        }
        return record.step > 0 && (spent || isOutOfPatience)
    }

    /// Steps in the budget, where it says so.
    public var totalSteps: Int? {
        switch record.options.budget {
        case .epochs(let epochs): epochs * schedule.windows
        case .steps(let steps): steps
        case .seconds: nil
        }
    }

    /// The part of the budget that is spent, what tuning took left out.
    var progress: Double {
        func part(_ spent: Double, of budget: Double) -> Double { budget > 0 ? min(1, spent / budget) : 1 }
        if case .seconds(let limit) = record.options.budget {
            return part(record.seconds - record.tunedSeconds, of: limit - record.tunedSeconds)
        }
        return part(Double(record.step - record.tunedSteps), of: Double(totalSteps! - record.tunedSteps))
    }

    var isSpent: Bool {
        if case .seconds(let limit) = record.options.budget {
            return record.step > 0 && now() - started >= limit
        }
        return record.step >= totalSteps!
    }

    /// Whether validations without improvement have ended the training.
    public var isOutOfPatience: Bool { record.options.patience.map { record.validationsSinceBest >= $0 } ?? false }

    var isValidationDue: Bool {
        guard data.validation != nil else { return false }
        if let every = record.options.evaluateEvery { return record.step % every == 0 }
        guard case .seconds(let limit) = record.options.budget, !isSpent else {
            return Int(progress * 10) > Int(progressBefore * 10)
        }
        // Of a time limit, validation may take a tenth; the last one comes in any case. A symbol that is only read
        // takes a third of the arithmetic of one that is trained on.
        let perSymbol = record.seconds / Double(max(1, record.tokens)) / 3
        let next = validationSeconds.last > 0 ? validationSeconds.last : perSymbol * Double(data.validationSymbols)
        return record.seconds - lastValidated >= (limit - record.tunedSeconds) / 10
            && validationSeconds.all + next <= 0.1 * record.seconds
    }
}
