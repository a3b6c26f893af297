import LinearAlgebra

/// Which rows of the table of n-grams have a gradient in a step: few of many, so that nothing else needs to be cleared, summed or
/// moved.
struct SparseRows: Sendable {
    /// The rows of the n-grams of one length. Only the task that sums their gradient changes them, and no other phase of a step
    /// overlaps with that.
    private final class Length: @unchecked Sendable {
        /// Those of the last step, counted from the first row of the whole table, each once.
        var touched: [Int32] = []
        /// For each row of this length, whether it is among them.
        var isTouched: [Bool]

        init(rows: Int) { isTouched = Array(repeating: false, count: rows) }
    }

    /// The rows of each length.
    private let rows: Int
    /// Empty where other ranks may have added to any row, so that all have to be looked at.
    private let lengths: [Length]

    init(_ model: ModelConfiguration, isShared: Bool) {
        let rows = model.ngramRows
        self.rows = rows
        lengths = isShared ? [] : (0..<model.ngramLengths).map { _ in Length(rows: rows) }
    }

    /// Clears a length's part of the gradient for a new step.
    func clear<Scalar: KernelScalar>(length: Int, of table: MatrixView<Scalar>) {
        let first = length * rows
        guard !lengths.isEmpty else { return table.rows(first..<first + rows).clear() }
        let known = lengths[length]
        for row in known.touched {
            table.rows(Int(row)..<Int(row) + 1).clear()
            known.isTouched[Int(row) - first] = false
        }
        known.touched = []
    }

    /// Notes rows that are added to, counted from the first of the length; negative ones are dropped.
    func note(_ lookups: MatrixView<Int32>, length: Int) {
        guard !lengths.isEmpty else { return }
        let (known, first) = (lengths[length], Int32(length * rows))
        for column in 0..<lookups.columns {
            let row = lookups[0, column]
            if row >= 0, !known.isTouched[Int(row)] {
                known.isTouched[Int(row)] = true
                known.touched.append(first + row)
            }
        }
    }

    /// Sorts a length's rows; after the last of them are noted.
    func sort(length: Int) { if !lengths.isEmpty { lengths[length].touched.sort() } }

    /// The rows in a range of the table that have a gradient, in order.
    func rows<Scalar: KernelScalar>(in range: Range<Int>, of table: MatrixView<Scalar>) -> [Int] {
        guard !lengths.isEmpty else { return table.nonzeroRows(in: Array(range)) }
        return lengths.flatMap { length in
            let rows = length.touched
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
