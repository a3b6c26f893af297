import LinearAlgebra

/// Which rows of the table of n-grams have a gradient in a step: few of many, so that nothing else needs to be cleared, summed or
/// moved.
///
/// Each length has its own task in every phase of a step, and phases do not overlap.
final class SparseRows: @unchecked Sendable {
    private let rows: Int
    /// For each length, the rows of the last step, counted from the first of the whole table, each once.
    private var touched: [[Int32]]
    /// For each row of the table, whether it is among them.
    private var isTouched: [Bool]
    /// Whether other ranks may have added to any row, so that all have to be looked at.
    private let isShared: Bool

    init(_ model: ModelConfiguration, isShared: Bool) {
        rows = model.embedsNgrams ? model.ngramRows : 0
        touched = Array(repeating: [], count: model.ngramLengths)
        isTouched = Array(repeating: false, count: model.ngramLengths * rows)
        self.isShared = isShared
    }

    /// Clears a length's part of the gradient for a new step.
    func clear<Scalar: KernelScalar>(length: Int, of table: MatrixView<Scalar>) {
        if isShared { return table.rows(length * rows..<(length + 1) * rows).clear() }
        for row in touched[length] {
            table.rows(Int(row)..<Int(row) + 1).clear()
            isTouched[Int(row)] = false
        }
        touched[length] = []
    }

    /// Notes rows that are added to, counted from the first of the length.
    func note(_ lookups: MatrixView<Int32>, length: Int) {
        guard !isShared else { return }
        let first = Int32(length * rows)
        for column in 0..<lookups.columns {
            let row = first + lookups[0, column]
            if !isTouched[Int(row)] {
                isTouched[Int(row)] = true
                touched[length].append(row)
            }
        }
    }

    /// Sorts a length's rows; after the last of them are noted.
    func sort(length: Int) { touched[length].sort() }

    /// The rows in a range of the table that have a gradient, in order.
    func rows<Scalar: KernelScalar>(in range: Range<Int>, of table: MatrixView<Scalar>) -> [Int] {
        guard !isShared else { return table.nonzeroRows(in: Array(range)) }
        return touched.flatMap { rows in
            let first = rows.partitioningIndex { $0 >= range.lowerBound }
            let end = rows.partitioningIndex { $0 >= range.upperBound }
            return table.nonzeroRows(in: rows[first..<end].map(Int.init))
        }
    }
}

extension Array {
    /// The first index from which on a condition holds.
    fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension MatrixView where Element: KernelScalar {
    /// Those of some rows in which any element is not zero.
    @specialized(where Element == Float)
    fileprivate func nonzeroRows(in rows: [Int]) -> [Int] {
        rows.filter { row in
            let row = self.rows(row..<row + 1).base
            // Counted, because that is done for many elements at once.
            var count = 0
            for column in 0..<columns { count &+= row[column] == 0 ? 0 : 1 }
            return count > 0
        }
    }
}
