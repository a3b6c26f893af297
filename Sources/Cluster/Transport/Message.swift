import LinearAlgebra

/// Memory that is sent or received, and its owner, which keeps it.
///
/// Unchecked: the compiler cannot check the pointer. It is valid while `owner` lives; who sends or receives a message
/// leaves its memory alone until that has completed.
package struct Message: @unchecked Sendable {
    private let owner: AnyObject
    package let bytes: UnsafeMutableRawBufferPointer

    /// The first elements of a matrix; nil for all.
    package init<Element>(_ matrix: Matrix<Element>, first: Int? = nil) {
        let count = first ?? matrix.view.rows * matrix.view.columns
        precondition(count <= matrix.view.rows * matrix.view.columns, "\(count) elements")
        owner = matrix
        bytes = UnsafeMutableRawBufferPointer(
            start: matrix.view.base, count: count * MemoryLayout<Element>.stride)
    }

    /// A part of a matrix, in one piece.
    package init<Element>(_ view: MatrixView<Element>, of matrix: Matrix<Element>) {
        precondition(view.isContiguous, "a part with gaps")
        owner = matrix
        bytes = UnsafeMutableRawBufferPointer(
            start: view.base, count: view.rows * view.columns * MemoryLayout<Element>.stride)
    }

    /// A copy of some elements.
    package init<Element: BitwiseCopyable>(_ elements: [Element]) {
        self.init(Matrix(rows: 1, columns: elements.count, elements))
    }

    /// Parts of at most `size` bytes: libraries count in 32 bits.
    func parts(of size: Int = 1 << 30) -> [Message] {
        guard bytes.count > size else { return [self] }
        return stride(from: 0, to: bytes.count, by: size).map { first in
            Message(owner, UnsafeMutableRawBufferPointer(rebasing: bytes[first..<min(first + size, bytes.count)]))
        }
    }

    private init(_ owner: AnyObject, _ bytes: UnsafeMutableRawBufferPointer) {
        (self.owner, self.bytes) = (owner, bytes)
    }
}
