/// A row-major window onto memory that a ``Matrix`` owns.
///
/// Unchecked: the compiler cannot check the pointer. A view does not keep its owner alive: code that makes views must
/// hold the owners in an object that outlives them, and give each thread its own rows or columns. That is why a view
/// can be sent, and why making one costs no reference count. Swift may release a local owner right after its last
/// mention, so `matrix.view.elements` on a local matrix is wrong where `matrix.elements` is right.
package struct MatrixView<Element: BitwiseCopyable>: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Element>
    package let rows: Int
    package let columns: Int
    /// The distance from one row to the next, in elements.
    let stride: Int

    init(base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, stride: Int) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// The given rows, all their columns.
    package func rows(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return MatrixView(base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// The given columns, all their rows.
    package func columns(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
        return MatrixView(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    package subscript(row: Int, column: Int) -> Element {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element \(row), \(column)")
            return base[row * stride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element \(row), \(column)")
            base[row * stride + column] = newValue
        }
    }

    /// Whether rows follow each other without a gap.
    package var isContiguous: Bool { stride == columns || rows <= 1 }

    /// The elements in row-major order.
    package var elements: [Element] {
        [Element](unsafeUninitializedCapacity: rows * columns) { buffer, count in
            for row in 0..<rows {
                UnsafeMutableRawPointer(buffer.baseAddress! + row * columns).copyMemory(
                    from: base + row * stride, byteCount: columns * MemoryLayout<Element>.stride)
            }
            count = rows * columns
        }
    }

    /// Copies the elements in row-major order into an array of the same length.
    package func read(into elements: inout [Element]) {
        precondition(elements.count == rows * columns && isContiguous, "\(elements.count) for \(rows) x \(columns)")
        elements.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: base, count: $0.count)) }
    }

    /// Sets every element from `values`, which are in row-major order.
    package func assign(_ values: [Element]) {
        precondition(values.count == rows * columns, "\(values.count) values for \(rows) x \(columns)")
        values.withUnsafeBytes { bytes in
            for row in 0..<rows {
                let length = columns * MemoryLayout<Element>.stride
                (UnsafeMutableRawPointer(base) + row * pitch).copyMemory(
                    from: bytes.baseAddress! + row * length, byteCount: length)
            }
        }
    }

    package func fill(_ value: Element) {
        for row in 0..<rows { (base + row * stride).update(repeating: value, count: columns) }
    }

    /// Sets every element to zero.
    package func clear() {
        for row in 0..<pieces {
            (UnsafeMutableRawPointer(base) + row * pitch).initializeMemory(
                as: UInt8.self, repeating: 0, count: pieceSize)
        }
    }

    /// Copies `other`, which has the same shape.
    package func copy(_ other: MatrixView) {
        precondition(other.rows == rows && other.columns == columns, "shapes differ")
        let whole = isContiguous && other.isContiguous
        for row in 0..<(whole ? 1 : rows) {
            (UnsafeMutableRawPointer(base) + row * pitch).copyMemory(
                from: UnsafeRawPointer(other.base) + row * other.pitch,
                byteCount: (whole ? rows : 1) * columns * MemoryLayout<Element>.stride)
        }
    }

    // Copies bytes rather than elements, so that callers in other modules need no specialized code for their type.
    private var pieces: Int { isContiguous ? 1 : rows }
    private var pieceSize: Int { (isContiguous ? rows : 1) * columns * MemoryLayout<Element>.stride }
    private var pitch: Int { stride * MemoryLayout<Element>.stride }
}

extension MatrixView {
    /// The elements from `offset` on as a matrix without gaps.
    package func part(_ offset: Int, rows: Int, columns: Int) -> MatrixView {
        precondition(
            isContiguous && offset >= 0 && offset + rows * columns <= self.rows * self.columns, "out of bounds")
        return MatrixView(base: base + offset, rows: rows, columns: columns, stride: columns)
    }
}
