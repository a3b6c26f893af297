/// Shape checks: one place that says what each kernel requires, so that no loop runs out of bounds.
extension Kernels {
    func checkProduct(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, _ bias: MatrixView<Scalar>?, _ c: MatrixView<Scalar>
    ) {
        precondition(a.columns == b.inner, "inner sizes differ: \(a.columns), \(b.inner)")
        precondition(a.rows == c.rows, "rows differ: \(a.rows), \(c.rows)")
        precondition(b.columns == c.columns, "columns differ: \(b.columns), \(c.columns)")
        precondition(bias.map { $0.rows == 1 && $0.columns == c.columns } ?? true, "the bias is not one row")
    }

    func checkTransposedProduct(
        _ a: PackedMatrix<Scalar>, _ b: PackedMatrix<Scalar>, _ first: Int, _ inner: Int, _ c: MatrixView<Scalar>
    ) {
        precondition(inner >= 1 && inner <= a.inner, "\(inner) rows of \(a.inner)")
        precondition(a.precision == b.precision, "\(a.precision) by \(b.precision)")
        precondition(a.precision == .float32 || first.isMultiple(of: 2), "row \(first) is the second of a pair")
        precondition(first >= 0 && first + inner <= b.inner, "rows \(first) + \(inner) of \(b.inner)")
        precondition(
            c.rows <= a.columns && c.columns == b.columns,
            "the result of [\(a.columns), \(b.columns)] has shape [\(c.rows), \(c.columns)]")
    }

    func checkPacking(
        _ matrix: MatrixView<Scalar>, _ packed: PackedMatrix<Scalar>, _ panel: Int, _ sums: MatrixView<Scalar>?,
        _ scatter: (ids: MatrixView<Int32>, table: MatrixView<Scalar>)?
    ) {
        let room = packed.columns - panel * PackedMatrix<Scalar>.panelWidth
        precondition(
            panel >= 0 && matrix.rows <= packed.inner && matrix.columns <= room,
            "[\(matrix.rows), \(matrix.columns)] does not fit into [\(packed.inner), \(room)]")
        precondition(
            sums.map { $0.rows == 1 && $0.columns == matrix.columns } ?? true, "sums are not one row of the same length"
        )
        if let scatter { checkIDs(scatter.ids, scatter.table, matrix) }
    }

    func checkTransposedPacking(_ matrix: MatrixView<Scalar>, _ packed: PackedMatrix<Scalar>, _ panels: Range<Int>) {
        precondition(
            matrix.rows == packed.columns && matrix.columns == packed.inner, "shape differs from the packed one")
        precondition(panels.upperBound <= packed.panels, "panels \(panels) of \(packed.panels)")
    }

    /// A step's matrices are without gaps: `gates` and `recurrent` [B, gates H], the rest [B, H].
    func checkStep(
        _ count: Int, _ gates: MatrixView<Scalar>, _ recurrent: MatrixView<Scalar>?, _ hidden: MatrixView<Scalar>,
        _ first: MatrixView<Scalar>? = nil, _ second: MatrixView<Scalar>? = nil, _ third: MatrixView<Scalar>? = nil
    ) {
        checkShape(gates, hidden.rows, count * hidden.columns)
        checkShape(recurrent, hidden.rows, count * hidden.columns)
        checkShape(hidden, hidden.rows, hidden.columns)
        checkShape(first, hidden.rows, hidden.columns)
        checkShape(second, hidden.rows, hidden.columns)
        checkShape(third, hidden.rows, hidden.columns)
    }

    private func checkShape(_ matrix: MatrixView<Scalar>?, _ rows: Int, _ columns: Int) {
        guard let matrix else { return }
        precondition(
            matrix.rows == rows && matrix.columns == columns && matrix.isContiguous,
            "shape [\(matrix.rows), \(matrix.columns)] is not [\(rows), \(columns)]")
    }

    func checkLoss(_ logits: MatrixView<Scalar>, _ targets: MatrixView<Int32>, _ losses: MatrixView<Double>) {
        precondition(logits.isContiguous && logits.columns > 0, "logits have gaps or no columns")
        precondition(targets.rows == 1 && targets.columns == logits.rows, "one target per row")
        precondition(losses.rows == 1 && losses.columns == logits.rows, "one loss per row")
        for row in 0..<logits.rows {
            precondition(Int(targets.base[row]) < logits.columns, "target \(targets.base[row]) of \(logits.columns)")
        }
    }

    func checkRows(
        _ first: MatrixView<Scalar>, _ second: MatrixView<Scalar>, _ third: MatrixView<Scalar>,
        _ fourth: MatrixView<Scalar>
    ) {
        func check(_ view: MatrixView<Scalar>) {
            precondition(view.rows == 1 && view.columns == first.columns, "not rows of the same length")
        }
        check(first)
        check(second)
        check(third)
        check(fourth)
    }

    func checkIDs(_ ids: MatrixView<Int32>, _ table: MatrixView<Scalar>, _ values: MatrixView<Scalar>) {
        precondition(ids.rows == 1 && ids.columns == values.rows, "one id per row")
        precondition(table.columns == values.columns, "row lengths differ: \(table.columns), \(values.columns)")
        for index in 0..<ids.columns {
            precondition(ids.base[index] >= 0 && Int(ids.base[index]) < table.rows, "id \(ids.base[index])")
        }
    }
}
