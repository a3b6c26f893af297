import LinearAlgebra

/// DropConnect on the recurrent weights (Wan et al. 2013, as Merity, Keskar & Socher 2018 use it): while training, each
/// weight from a state to the next is dropped with a probability, the same ones through a window and in every lane.
///
/// What is kept is divided by the probability to be kept, so that reading needs no scaling.
final class WeightDropout<Scalar: KernelScalar>: @unchecked Sendable {
    /// [GH, H] for each layer: the weights with some of them dropped.
    let weights: [Matrix<Scalar>]
    /// [GH, H] for each layer: what weights are multiplied by.
    private let masks: [Matrix<Scalar>]
    private let keep: Double
    /// Some rows of a layer's weights, each with random numbers of its own.
    private let pieces: [(layer: Int, rows: Range<Int>)]
    private var work = Work.none
    private lazy var list = WorkList { [unowned self] piece, _ in run(piece) }

    private enum Work {
        case none
        case draw(Parameters<Scalar>, seed: UInt64, step: Int)
        case mask(gradient: Parameters<Scalar>)
    }

    init(_ model: ModelConfiguration) {
        let (h, gh) = (model.hidden, model.cell.gates * model.hidden)
        keep = 1 - model.weightDropout
        weights = (0..<model.layers).map { _ in Matrix(rows: gh, columns: h) }
        masks = (0..<model.layers).map { _ in Matrix(rows: gh, columns: h) }
        pieces = (0..<model.layers).flatMap { layer in
            stride(from: 0, to: gh, by: 128).map { (layer, $0..<min($0 + 128, gh)) }
        }
    }

    /// Draws which weights a training step drops, and sets `weights`.
    func draw(from parameters: Parameters<Scalar>, seed: UInt64, step: Int, using workers: Workers) {
        run(.draw(parameters, seed: seed, step: step), using: workers)
    }

    /// Makes a gradient of the dropped weights one of the weights.
    func mask(_ gradient: Parameters<Scalar>, using workers: Workers) { run(.mask(gradient: gradient), using: workers) }

    private func run(_ work: Work, using workers: Workers) {
        self.work = work
        workers.run(pieces.count, of: list)
        self.work = .none
    }

    private func run(_ index: Int) {
        let (layer, rows) = pieces[index]
        let mask = masks[layer].view.rows(rows)
        switch work {
        case .none: break
        case .draw(let parameters, let seed, let step):
            var generator = SplitMix64(seed: seed, stream: Stream.weightDropout, UInt64(step), UInt64(index))
            Scalar.kernels.fillDropoutMask(mask, keep: keep, using: &generator)
            let dropped = weights[layer].view.rows(rows)
            dropped.copy(parameters.layers[layer].recurrentWeight.rows(rows))
            Scalar.kernels.multiply(dropped, by: mask)
        case .mask(let gradient): Scalar.kernels.multiply(gradient.layers[layer].recurrentWeight.rows(rows), by: mask)
        }
    }
}
