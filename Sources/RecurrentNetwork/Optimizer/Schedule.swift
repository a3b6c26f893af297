import RealModule

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
