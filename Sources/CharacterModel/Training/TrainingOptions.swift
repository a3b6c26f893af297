import RealModule

/// How long a training lasts.
public enum TrainingBudget: Sendable, Equatable {
    case epochs(Int)
    /// Steps of the optimizer.
    case steps(Int)
    /// Seconds of wall clock from the first step on.
    case seconds(Double)
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

/// The rule by which parameters follow their gradient.
public enum Optimizer: String, Sendable, Codable, CaseIterable {
    case adamw, adam, sgd, rmsprop, adagrad

    /// How many numbers it remembers for each parameter.
    public var moments: [String] {
        switch self {
        case .adamw, .adam: ["exp_avg", "exp_avg_sq"]
        case .sgd: []
        case .rmsprop: ["square_avg"]
        case .adagrad: ["sum"]
        }
    }
}

/// How the learning rate changes over the budget.
public enum Schedule: String, Sendable, Codable, CaseIterable {
    /// From the full rate to a hundredth of it, along half a cosine (Loshchilov & Hutter 2017).
    case cosine
    case constant

    /// What the full rate is multiplied by.
    ///
    /// - Parameters:
    ///   - step: counted from 0.
    ///   - progress: the part of the budget that is spent, from 0 to 1.
    ///   - warmup: the steps over which the rate rises from near zero (Goyal et al. 2017).
    public func factor(step: Int, progress: Double, warmup: Int) -> Double {
        let rise = warmup > 0 ? min(1, Double(step + 1) / Double(warmup)) : 1
        switch self {
        case .cosine: return rise * (0.01 + 0.99 * 0.5 * (1 + .cos(.pi * min(1, max(0, progress)))))
        case .constant: return rise
        }
    }
}

/// Everything that decides a training, beside the model and the text.
public struct TrainingOptions: Sendable, Equatable, Codable {
    /// B.
    public var batch = 16
    /// T.
    public var window = 64
    public var budget = TrainingBudget.epochs(10)
    public var optimizer = Optimizer.adamw
    public var learningRate = 0.004
    public var schedule = Schedule.cosine
    /// Steps.
    public var warmup = 100
    /// Of weights; biases are left alone (Loshchilov & Hutter 2019 for `adamw`).
    public var weightDecay = 0.0
    /// The largest norm of the gradient; larger ones are scaled down to it (Pascanu, Mikolov & Bengio 2013).
    public var clip = 1.0
    /// Steps between validations; nil: ten in the budget.
    public var evaluateEvery: Int?
    /// How many validations in a row may bring no improvement before training stops.
    public var patience: Int?
    public var seed: UInt64 = 1
    /// How often a training whose loss explodes goes back to an earlier state, with half the learning rate.
    public var maxRecoveries = 10

    enum CodingKeys: String, CodingKey {
        case batch, window, budget, optimizer
        case learningRate = "learning_rate"
        case schedule, warmup
        case weightDecay = "weight_decay"
        case clip
        case evaluateEvery = "evaluate_every"
        case patience, seed
        case maxRecoveries = "max_recoveries"
    }

    public init() {}

    /// Files of earlier versions do not say everything; what they leave out is the default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try container.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.batch, &batch)
        try read(.window, &window)
        try read(.budget, &budget)
        try read(.optimizer, &optimizer)
        try read(.learningRate, &learningRate)
        try read(.schedule, &schedule)
        try read(.warmup, &warmup)
        try read(.weightDecay, &weightDecay)
        try read(.clip, &clip)
        evaluateEvery = try container.decodeIfPresent(Int.self, forKey: .evaluateEvery)
        patience = try container.decodeIfPresent(Int.self, forKey: .patience)
        try read(.seed, &seed)
        try read(.maxRecoveries, &maxRecoveries)
    }
}
