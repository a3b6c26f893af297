/// One side of many products, laid out once in the order in which a product reads it.
///
/// Panels of 16 columns follow each other; within a panel the 16 elements of a row are adjacent, so a product streams
/// through memory once. Columns beyond the last are zero. In bfloat16, rows 2k and 2k + 1 share the words of one row, and a
/// row beyond an odd last one is zero.
package final class PackedMatrix<Element: Numeric & BitwiseCopyable>: Sendable {
    /// Rows: the length of the sums (K).
    package let inner: Int
    package let columns: Int
    package let precision: Precision
    /// The elements in float32.
    let storage: Matrix<Element>
    /// The elements in bfloat16: see ``BFloat16Pair``.
    let words: Matrix<UInt32>

    package static var panelWidth: Int { 16 }
    package var panels: Int { (columns + Self.panelWidth - 1) / Self.panelWidth }

    package init(inner: Int, columns: Int, precision: Precision = .float32) {
        self.inner = inner
        self.columns = columns
        self.precision = precision
        let panels = (columns + Self.panelWidth - 1) / Self.panelWidth
        let (rows, pairs) = precision == .float32 ? (inner, 0) : (0, (inner + 1) / 2)
        storage = Matrix(rows: panels, columns: rows * Self.panelWidth)
        words = Matrix(rows: panels, columns: pairs * Self.panelWidth)
    }

    /// The distance from one panel to the next, in elements, or in words.
    var panelStride: Int { (precision == .float32 ? inner : (inner + 1) / 2) * Self.panelWidth }

    /// The bytes of the elements of a matrix.
    package static func bytes(inner: Int, columns: Int, precision: Precision) -> Double {
        let padded = Double((columns + panelWidth - 1) / panelWidth * panelWidth)
        return switch precision {
        case .float32: Double(inner) * padded * Double(MemoryLayout<Element>.stride)
        case .bfloat16: Double((inner + 1) / 2) * padded * 4
        }
    }

    /// The element in a row and a column, both unchecked, of a matrix in float32.
    subscript(row: Int, column: Int) -> Element {
        get { storage.view.base[offset(row, column)] }
        set { storage.view.base[offset(row, column)] = newValue }
    }

    /// The elements in rows 2 `pair` and 2 `pair` + 1 of a column, both unchecked, of a matrix in bfloat16.
    subscript(pair pair: Int, column: Int) -> BFloat16Pair {
        get { BFloat16Pair(word: words.view.base[offset(pair, column)]) }
        set { words.view.base[offset(pair, column)] = newValue.word }
    }

    /// The elements of a row from the first column of a panel on, as far as the panel reaches.
    func row(_ row: Int, fromColumn first: Int) -> UnsafeMutablePointer<Element> {
        storage.view.base + offset(row, first)
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        column / Self.panelWidth * panelStride + row * Self.panelWidth + column % Self.panelWidth
    }
}

extension Kernels {
    /// Packs the given panels of `matrix` [K, N].
    package func pack(_ matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, panels: Range<Int>) {
        let width = PackedMatrix<Scalar>.panelWidth
        let columns = panels.lowerBound * width..<min(panels.upperBound * width, matrix.columns)
        pack(matrix.columns(columns), into: packed, fromPanel: panels.lowerBound, sums: nil, scatter: nil)
    }
}
