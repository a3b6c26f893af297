/// Sums of estimates of the gradient's size and of its noise over some steps.
///
/// Each step compares the gradient of half of the batch's lanes with that of all of them. The ratio of the means is the
/// gradient noise scale, the batch above which more lanes help little (McCandlish, Kaplan, Amodei et al. 2018, appendix
/// A.1).
package struct PendingNoise: Sendable, Equatable, Codable {
    /// Of |G|^2, the squared norm of the gradient without noise.
    package var signal = 0.0
    /// Of tr(S), the sum of the variances of one lane's gradient.
    package var noise = 0.0

    package init() {}

    /// Adds a step.
    ///
    /// - Parameters:
    ///   - half: |G|^2 over the first `lanes` lanes.
    ///   - whole: the same over all `batch` lanes; more than `lanes`.
    package mutating func add(half: Double, lanes: Int, whole: Double, batch: Int) {
        let (b, all) = (Double(lanes), Double(batch))
        signal += (all * whole - b * half) / (all - b)
        noise += (half - whole) / (1 / b - 1 / all)
    }

    /// In lanes; nil if there was more noise than the steps could average out.
    package var scale: Double? { signal > 0 && noise.isFinite ? max(0, noise / signal) : nil }
}
