import Concurrency
import LinearAlgebra
import Randomness

/// DropConnect on the recurrent weights (Wan et al. 2013, as Merity, Keskar & Socher 2018 use it): while training, each
/// weight from a state to the next is dropped with a probability, the same ones through a window and in every lane.
///
/// Kept weights are divided by the keep probability, so that inference needs no scaling.
final class WeightDropout<Scalar: KernelScalar>: Sendable {
    /// A recurrent weight with some of it dropped.
    struct Dropped: Sendable {
        let layer: Int
        let tensor: Int
        /// [GH, H].
        let weight: Matrix<Scalar>
        /// [GH, H]: what the weight is multiplied by.
        let mask: Matrix<Scalar>
    }

    /// The recurrent weights of all layers.
    let dropped: [Dropped]
    private let keep: Double
    /// Some rows of a weight, each with its own random numbers.
    private let pieces: [(weight: Int, rows: Range<Int>)]

    init(_ model: ModelConfiguration) {
        keep = 1 - model.weightDropout
        dropped = ParameterLayout(model).entries.compactMap { entry in
            guard case .layer(let layer, let tensor, .recurrentWeight) = entry.role else { return nil }
            func matrix() -> Matrix<Scalar> { Matrix(rows: entry.rows, columns: entry.columns) }
            return Dropped(layer: layer, tensor: tensor, weight: matrix(), mask: matrix())
        }
        pieces = dropped.indices.flatMap { [dropped] index in
            RecurrentNetwork.pieces(of: dropped[index].weight.view.rows).map { (index, $0) }
        }
    }

    /// The matrix that replaces a tensor, if some of it is dropped.
    func weight(layer: Int, tensor: Int) -> Matrix<Scalar>? {
        dropped.first { $0.layer == layer && $0.tensor == tensor }?.weight
    }

    /// Draws which weights a training step drops, and sets the dropped ones.
    func draw(from parameters: Parameters<Scalar>, seed: UInt64, step: Int, using workers: Workers) {
        workers.forEach(pieces.count) { index in
            let (dropped, rows) = (self.dropped[pieces[index].weight], pieces[index].rows)
            let (mask, weight) = (dropped.mask.view.rows(rows), dropped.weight.view.rows(rows))
            var generator = SplitMix64(
                seed: seed, stream: RandomStream.weightDropout, UInt64(step), UInt64(index))
            Scalar.kernels.fillDropoutMask(mask, keep: keep, using: &generator)
            weight.copy(parameters.layers[dropped.layer][dropped.tensor].rows(rows))
            Scalar.kernels.multiply(weight, by: mask)
        }
    }

    /// Turns a gradient of the dropped weights into one of the weights.
    func mask(_ gradient: Parameters<Scalar>, using workers: Workers) {
        workers.forEach(pieces.count) { index in
            let (dropped, rows) = (self.dropped[pieces[index].weight], pieces[index].rows)
            Scalar.kernels.multiply(
                gradient.layers[dropped.layer][dropped.tensor].rows(rows), by: dropped.mask.view.rows(rows))
        }
    }
}
