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
