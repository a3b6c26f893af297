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
/// - Returns: at most `count` of `all`, but at least one, evenly spread.
func spread(_ count: Int, of all: some RandomAccessCollection<Int>) -> [Int] {
    let count = max(1, count)
    guard all.count > count else { return Array(all) }
    return (0..<count).map { all[all.index(all.startIndex, offsetBy: ($0 * 2 + 1) * all.count / (2 * count))] }
}
