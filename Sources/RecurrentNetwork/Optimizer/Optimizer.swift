/// The rule that updates parameters from their gradient.
public enum Optimizer: String, Sendable, Codable, CaseIterable {
    case adamw, adam, sgd, rmsprop, adagrad

    /// The moments it stores for each parameter.
    public var moments: [String] {
        switch self {
        case .adamw, .adam: ["exp_avg", "exp_avg_sq"]
        case .sgd: []
        case .rmsprop: ["square_avg"]
        case .adagrad: ["sum"]
        }
    }
}
