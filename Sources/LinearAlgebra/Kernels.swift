import Randomness
import RealModule

/// A floating-point type that networks compute with.
package protocol KernelScalar: Real, BinaryFloatingPoint, BitwiseCopyable, Sendable {
    associatedtype KernelType: Kernels<Self>
    /// The kernels to use for this type on this processor.
    static var kernels: KernelType { get }
}

/// The steps of the cells, one protocol each.
package typealias CellKernels = ElmanKernels & GRUKernels & LSTMKernels & MinGRUKernels

/// What every set of kernels has.
package protocol ScalarKernels: Sendable {
    associatedtype Scalar: KernelScalar
}

/// The innermost loops of a network. `ReferenceKernels` defines what each computes; `FloatKernels` computes it fast.
///
/// Shapes: B rows (lanes), K inner length, H hidden units, V vocabulary. Every function checks the shapes it is given.
package protocol Kernels<Scalar>: CellKernels {
    /// c = a b + start, where start is c itself if `accumulate`, else `bias` in every row, or 0.
    /// a [B, K], b [K, N], bias [1, N], c [B, N]. A row's result does not depend on the rows beside it.
    ///
    /// Where b is in bfloat16, a is rounded too, and each sum takes the pairs of elements in order: see ``BFloat16Pair``.
    func product(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, bias: MatrixView<Scalar>?, accumulate: Bool,
        into c: MatrixView<Scalar>)

    /// c = transpose(a) b, plus c if `accumulate`, for the first `inner` rows of a [K, M] and as many rows of b [K, N] from
    /// row `first` on; c [M, N]. Both are in one precision; in bfloat16, `first` is even, and if `inner` is odd, a's next row is
    /// zero.
    func product(
        transposed a: PackedMatrix<Scalar>, _ b: PackedMatrix<Scalar>, from first: Int, inner: Int, accumulate: Bool,
        into c: MatrixView<Scalar>)

    /// Packs `matrix` [K, N] into the first rows of `packed`, from the given panel on.
    ///
    /// If requested, it also does this in the order of the rows: sums [1, N] += row k; table[ids[k]] += row k, for a
    /// table [V, N] and ids [1, K]. These are not rounded; in bfloat16, a row after an odd last one becomes zero.
    func pack(
        _ matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, fromPanel panel: Int,
        sums: MatrixView<Scalar>?, scatter: (ids: MatrixView<Int32>, table: MatrixView<Scalar>)?)

    /// Turns each row of `logits` [B, V] into `scale` times the gradient of -ln p(target), and writes that loss to
    /// `losses` [1, B], in Double, because they are summed. A row whose target is negative has no loss: its gradient
    /// and its loss are zero.
    func softmaxCrossEntropy(
        logits: MatrixView<Scalar>, targets: MatrixView<Int32>, scale: Scalar, losses: MatrixView<Double>)

    /// One step of Adam; see ``OptimizerRule``. All are one row of the same length. False if any parameter or moment is not
    /// finite afterwards.
    func adam(
        _ step: AdamStep<Scalar>, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>,
        mean: MatrixView<Scalar>, square: MatrixView<Scalar>
    ) -> Bool

    /// Packs the given panels of the transpose of `matrix` [N, K].
    func pack(transposeOf matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, panels: Range<Int>)

    // Memory-bound loops: every type uses the reference.

    /// out[i] = bias + table[ids[i]], for table [V, N], ids [1, B], bias [1, N] or none, out [B, N].
    func gather(
        _ ids: MatrixView<Int32>, from table: MatrixView<Scalar>, bias: MatrixView<Scalar>?,
        into out: MatrixView<Scalar>)
    /// table[ids[i]] += values[i], in the order of i.
    func scatterAdd(_ values: MatrixView<Scalar>, at ids: MatrixView<Int32>, into table: MatrixView<Scalar>)
    /// x *= y, element by element.
    func multiply(_ x: MatrixView<Scalar>, by y: MatrixView<Scalar>)
    /// The sum of the squares of a row, in Double.
    func sumOfSquares(_ x: MatrixView<Scalar>) -> Double
    /// Sets each element to 1 / keep with probability `keep`, else to 0.
    func fillDropoutMask(_ mask: MatrixView<Scalar>, keep: Double, using generator: inout SplitMix64)
    /// One step of an optimizer on a part of the arena; see ``OptimizerRule``, which says how many moments it has. False if any
    /// parameter or moment is not finite afterwards.
    func update(
        _ rule: OptimizerRule, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>,
        moments: (MatrixView<Scalar>?, MatrixView<Scalar>?)
    ) -> Bool
}

extension Kernels {
    package func pack(_ matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, sums: MatrixView<Scalar>? = nil)
    {
        pack(matrix, into: packed, fromPanel: 0, sums: sums, scatter: nil)
    }
}
