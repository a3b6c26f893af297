/// How long a training run lasts.
public enum TrainingBudget: Sendable, Equatable {
    case epochs(Int)
    /// Steps of the optimizer.
    case steps(Int)
    /// Seconds of wall-clock time, counted from the first step.
    case seconds(Double)
}

extension TrainingBudget {
    /// The options that set the budget; only one applies.
    static let optionNames = ["epochs", "steps", "time-limit"]
}

extension TrainingBudget: Codable {
    private enum CodingKeys: String, CodingKey {
        case epochs, steps, seconds
    }

    /// One of `{"epochs": 10}`, `{"steps": 1000}`, `{"seconds": 60}`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let epochs = try container.decodeIfPresent(Int.self, forKey: .epochs) {
            self = .epochs(epochs)
        } else if let steps = try container.decodeIfPresent(Int.self, forKey: .steps) {
            self = .steps(steps)
        } else {
            self = .seconds(try container.decode(Double.self, forKey: .seconds))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .epochs(let epochs): try container.encode(epochs, forKey: .epochs)
        case .steps(let steps): try container.encode(steps, forKey: .steps)
        case .seconds(let seconds): try container.encode(seconds, forKey: .seconds)
        }
    }
}
