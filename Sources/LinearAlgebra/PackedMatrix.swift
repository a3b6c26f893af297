/// The right side of many products, laid out once in the order in which a product reads it.
///
/// Panels of 16 columns follow each other; within a panel the 16 elements of a row are adjacent, so a product streams
/// through memory once. Columns beyond the last are zero.
package final class PackedMatrix<Element: Numeric>: @unchecked Sendable {
    /// Rows: the length of the sums (K).
    package let inner: Int
    package let columns: Int
    let storage: Matrix<Element>

    static var panelWidth: Int { 16 }
    package var panels: Int { (columns + Self.panelWidth - 1) / Self.panelWidth }

    package init(inner: Int, columns: Int) {
        self.inner = inner
        self.columns = columns
        storage = Matrix(
            rows: (columns + Self.panelWidth - 1) / Self.panelWidth, columns: inner * Self.panelWidth)
    }

    /// The distance from one panel to the next, in elements.
    var panelStride: Int { inner * Self.panelWidth }

    /// The element in a row and a column, both unchecked.
    subscript(row: Int, column: Int) -> Element {
        get { storage.view.base[offset(row, column)] }
        set { storage.view.base[offset(row, column)] = newValue }
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        column / Self.panelWidth * panelStride + row * Self.panelWidth + column % Self.panelWidth
    }

    /// Packs the given panels of `matrix` [inner, columns].
    package func pack(_ matrix: MatrixView<Element>, panels: Range<Int>) {
        precondition(matrix.rows == inner && matrix.columns == columns, "shape differs from the packed one")
        for panel in panels {
            let first = panel * Self.panelWidth
            let width = min(Self.panelWidth, columns - first)
            let target = storage.view.base + panel * panelStride
            for k in 0..<inner {
                (target + k * Self.panelWidth).update(from: matrix.base + k * matrix.stride + first, count: width)
            }
        }
    }

    /// Packs the given panels of the transpose of `matrix` [columns, inner].
    package func pack(transposeOf matrix: MatrixView<Element>, panels: Range<Int>) {
        precondition(matrix.rows == columns && matrix.columns == inner, "shape differs from the packed one")
        for panel in panels {
            let first = panel * Self.panelWidth
            let width = min(Self.panelWidth, columns - first)
            let target = storage.view.base + panel * panelStride
            let source = matrix.base + first * matrix.stride
            for k in 0..<inner {
                for column in 0..<width { target[k * Self.panelWidth + column] = source[column * matrix.stride + k] }
            }
        }
    }
}
