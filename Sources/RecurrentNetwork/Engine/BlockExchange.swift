import LinearAlgebra

/// What engines that share a batch do around each block of the gradient: the sum travels along them in the order of
/// their groups of lanes, each continuing the sum of the previous one.
///
/// Called on the threads that sum, for several blocks at once, in the order of the blocks.
package protocol BlockExchange<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar

    /// Before the sum: sets the block to the sum so far, if there is one.
    ///
    /// - Returns: whether it has; otherwise the sum starts at zero.
    func begin(_ block: Int) -> Bool
    /// After the sum over the engine's own lanes.
    func end(_ block: Int)
}

/// The squares of the gradient's blocks, halfway through the batch and at its end.
final class BlockSquares: Sendable {
    /// [2, blocks]: at the half, at the end.
    private let sums: Matrix<Double>
    /// The groups of lanes after which they are taken; nil for those of another engine.
    private let half: Int?
    private let whole: Int?

    init(blocks: Int, half: Int?, whole: Int?) {
        sums = Matrix(rows: 2, columns: blocks)
        (self.half, self.whole) = (half, whole)
    }

    func note<Scalar: KernelScalar>(_ gradient: [MatrixView<Scalar>], ofBlock block: Int, after group: Int) {
        guard group == half || group == whole else { return }
        var sum = 0.0
        for view in gradient {
            for row in 0..<view.rows { sum += Scalar.kernels.sumOfSquares(view.rows(row..<row + 1)) }
        }
        if group == half { sums.view[0, block] = sum }
        if group == whole { sums.view[1, block] = sum }
    }

    /// What this engine's lanes give: zero for a half that another engine takes.
    var halves: GradientHalves {
        let all = sums.elements
        let blocks = all.count / 2
        return GradientHalves(first: all[..<blocks].reduce(0, +), whole: all[blocks...].reduce(0, +))
    }
}
