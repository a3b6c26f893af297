/// A row-major matrix that owns its memory: aligned to 64 bytes, zero (all bits) at first.
package final class Matrix<Element: BitwiseCopyable>: Sendable {
    package let view: MatrixView<Element>

    package init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "negative shape \(rows) x \(columns)")
        let count = max(1, rows * columns)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
        let base = memory.bindMemory(to: Element.self, capacity: count)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: count * MemoryLayout<Element>.stride)
        view = MatrixView(base: base, rows: rows, columns: columns, stride: columns)
    }

    /// A matrix with the given elements, in row-major order.
    package convenience init(rows: Int, columns: Int, _ elements: [Element]) {
        self.init(rows: rows, columns: columns)
        view.assign(elements)
    }

    /// The elements in row-major order.
    package var elements: [Element] { withExtendedLifetime(self) { view.elements } }

    deinit { UnsafeMutableRawPointer(view.base).deallocate() }
}
