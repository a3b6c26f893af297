import LinearAlgebra
import Randomness

// The rows of n-grams at some places: the embeddings that are added up, and where their gradients go. A negative row stands for an
// n-gram that has been dropped.

extension MatrixView where Element: KernelScalar {
    /// Adds `factor` times rows of a table to rows.
    @specialized(where Element == Float)
    func add(_ factor: Element, rowsOf table: MatrixView<Element>, at lookups: MatrixView<Int32>) {
        for row in 0..<rows where lookups[0, row] >= 0 {
            let source = table.rows(Int(lookups[0, row])..<Int(lookups[0, row]) + 1).base
            let target = self.rows(row..<row + 1).base
            for column in 0..<columns { target[column] += factor * source[column] }
        }
    }

    /// Adds `factor` times some values to rows of this table, in the order of the values.
    @specialized(where Element == Float)
    func scatter(_ factor: Element, times values: MatrixView<Element>, at lookups: MatrixView<Int32>) {
        for row in 0..<values.rows where lookups[0, row] >= 0 {
            let source = values.rows(row..<row + 1).base
            let target = self.rows(Int(lookups[0, row])..<Int(lookups[0, row]) + 1).base
            for column in 0..<columns { target[column] += factor * source[column] }
        }
    }
}

extension MatrixView where Element == Int32 {
    /// Drops each of some rows with a probability.
    func drop(_ probability: Double, using generator: inout SplitMix64) {
        for column in 0..<columns {
            for row in 0..<rows where generator.uniform() < probability { self[row, column] = -1 }
        }
    }
}

extension ModelConfiguration {
    /// What embeddings of n-grams that are kept in a training step are multiplied by.
    var ngramFactor: Double { 1 / (1 - ngramDropout) }
}
