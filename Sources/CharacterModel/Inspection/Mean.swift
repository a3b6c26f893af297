import RealModule

/// A mean, with its standard error.
public struct MeanEstimate: Sendable, Equatable {
    public var mean: Double
    /// The standard deviation of the values, divided by the square root of their number; nil for fewer than two.
    public var standardError: Double?

    /// - Requires: at least one value.
    init(_ values: [Double]) {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardError = values.count < 2 ? nil : (squares / (n - 1) / n).squareRoot()
    }
}

/// Positions of a text that stand for all of them.
///
/// - Returns: at most `count` of `all`, evenly spread.
func spread<Element>(_ count: Int, of all: [Element]) -> [Element] {
    guard all.count > count else { return all }
    return (0..<count).map { all[($0 * 2 + 1) * all.count / (2 * count)] }
}
