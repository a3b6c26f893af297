import LinearAlgebra
import Randomness

/// The first place where two matrices differ by more than a tolerance, described; nil if there is none.
///
/// - Parameters:
///   - relative: times the larger magnitude.
///   - absolute: added to it.
package func difference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(
    _ a: [A], _ b: [B], relative: Double, absolute: Double
) -> String? {
    guard a.count == b.count else { return "\(a.count) elements and \(b.count)" }
    for (index, (x, y)) in zip(a, b).enumerated() {
        let (x, y) = (Double(x), Double(y))
        let allowed = relative * max(abs(x), abs(y)) + absolute
        if !(abs(x - y) <= allowed) && x != y { return "element \(index): \(x) and \(y), allowed \(allowed)" }
    }
    return nil
}

/// A matrix of numbers from a seed, uniform in [-bound, bound).
package func randomMatrix<Scalar: KernelScalar>(
    _ rows: Int, _ columns: Int, seed: UInt64, bound: Double = 1, as type: Scalar.Type = Scalar.self
) -> Matrix<Scalar> {
    var generator = SplitMix64(seed: seed, stream: 99)
    return kept(
        Matrix(
            rows: rows, columns: columns,
            (0..<rows * columns).map { _ in Scalar(Float((2 * generator.uniform() - 1) * bound)) }))
}

/// Keeps an object for as long as the process lives: views do not own, and a test has no reason to free.
package func kept<Object: AnyObject>(_ object: Object) -> Object {
    _ = Unmanaged.passRetained(object)
    return object
}

extension Matrix where Element: KernelScalar {
    /// The same numbers in another type.
    package func converted<Other: KernelScalar>(to type: Other.Type = Other.self) -> Matrix<Other> {
        kept(Matrix<Other>(rows: view.rows, columns: view.columns, elements.map { Other(Double($0)) }))
    }
}
