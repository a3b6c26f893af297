import LinearAlgebra

/// Allocates buffers and counts their bytes, or only counts them, to estimate memory. Code that allocates here cannot
/// take a different amount of memory than was estimated.
package final class MemoryLedger {
    private let isDry: Bool
    /// A Double, since a requested size may overflow any integer.
    package private(set) var bytes = 0.0

    /// - Parameter isDry: whether every matrix is empty, and only counted.
    package init(isDry: Bool = false) { self.isDry = isDry }

    package func matrix<Element: BitwiseCopyable>(_ rows: Int, _ columns: Int) -> Matrix<Element> {
        bytes += Double(rows) * Double(columns) * Double(MemoryLayout<Element>.stride)
        return Matrix(rows: isDry ? 0 : rows, columns: columns)
    }

    package func packed<Element: Numeric & BitwiseCopyable>(
        inner: Int, columns: Int, _ precision: Precision
    ) -> PackedMatrix<Element> {
        bytes += PackedMatrix<Element>.bytes(inner: inner, columns: columns, precision: precision)
        return PackedMatrix(inner: isDry ? 0 : inner, columns: columns, precision: precision)
    }
}
