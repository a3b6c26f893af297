/// The right side of many products, laid out once in the order in which a product reads it.
///
/// Panels of 16 columns follow each other; within a panel the 16 elements of a row are adjacent, so a product streams
/// through memory once. Columns beyond the last are zero.
package final class PackedMatrix<Element: Numeric & BitwiseCopyable>: Sendable {
    /// Rows: the length of the sums (K).
    package let inner: Int
    package let columns: Int
    let storage: Matrix<Element>
    /// The elements in bfloat16, two panels in one, where that replaces `storage`: see `Kernels.compact`.
    let pairs: Matrix<UInt32>?

    package static var panelWidth: Int { 16 }
    package var panels: Int { (columns + Self.panelWidth - 1) / Self.panelWidth }

    package init(inner: Int, columns: Int) {
        self.inner = inner
        self.columns = columns
        storage = Matrix(
            rows: (columns + Self.panelWidth - 1) / Self.panelWidth, columns: inner * Self.panelWidth)
        pairs = nil
    }

    /// The compact form of a matrix [inner, columns].
    init(inner: Int, columns: Int, pairs: Matrix<UInt32>) {
        self.inner = inner
        self.columns = columns
        self.pairs = pairs
        storage = Matrix(rows: 0, columns: 0)
    }

    /// The distance from one panel to the next, in elements.
    var panelStride: Int { inner * Self.panelWidth }

    /// The element in a row and a column, both unchecked.
    subscript(row: Int, column: Int) -> Element {
        get { storage.view.base[offset(row, column)] }
        set { storage.view.base[offset(row, column)] = newValue }
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

    /// Packs the given panels of the transpose of `matrix` [N, K].
    package func pack(transposeOf matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, panels: Range<Int>) {
        precondition(
            matrix.rows == packed.columns && matrix.columns == packed.inner, "shape differs from the packed one")
        precondition(packed.pairs == nil && panels.upperBound <= packed.panels, "panels \(panels) of \(packed.panels)")
        let width = PackedMatrix<Scalar>.panelWidth
        for panel in panels {
            let rows = min(width, packed.columns - panel * width)
            let target = packed.storage.view.base + panel * packed.panelStride
            let source = matrix.base + panel * width * matrix.stride
            for k in 0..<packed.inner {
                for row in 0..<rows { target[k * width + row] = source[row * matrix.stride + k] }
            }
        }
    }
}
