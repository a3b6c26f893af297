import Concurrency
import LinearAlgebra

/// A network: its parameters, and their packed copies for products.
///
/// The packed copies are made once for each optimizer step; call ``pack(using:)`` after changing the parameters.
package final class Network<Scalar: KernelScalar>: Sendable {
    package let model: ModelConfiguration
    package let parameters: Parameters<Scalar>
    package let layers: [LayerWeights<Scalar>]
    package let decoder: Weight<Scalar>
    private let tasks: [PackingTask<Scalar>]
    /// For weight dropout: the dropped weights of a step, and the tasks that pack them instead of the parameters.
    private let weightDropout: WeightDropout<Scalar>?
    private let droppedTasks: [PackingTask<Scalar>]

    /// A network with the given parameters, packed.
    ///
    /// - Parameters:
    ///   - learns: whether it can be trained; a network for inference only takes half the memory.
    ///   - precision: of its products. Biases and a one-hot input's rows are not rounded.
    package init(
        _ model: ModelConfiguration, _ parameters: Parameters<Scalar>, learns: Bool, precision: Precision = .float32,
        using workers: Workers
    ) {
        self.model = model
        self.parameters = parameters
        weightDropout = learns && model.weightDropout > 0 ? WeightDropout<Scalar>(model) : nil
        var packing = Packing<Scalar>(learns: learns, precision: precision)
        layers = parameters.layers.enumerated().map { [weightDropout] index, tensors in
            let shape = model.layer(index)
            let descriptions = model.cell.cell.tensors(of: shape)
            return LayerWeights(
                tensors: tensors.enumerated().map { number, view in
                    let role = descriptions[number].role
                    guard role != .bias, !(role == .inputWeight && shape.isOneHot) else {
                        return Weight(parameter: view, forward: nil, backward: nil)
                    }
                    return packing.weight(view, or: weightDropout?.weight(layer: index, tensor: number))
                })
        }
        decoder = packing.weight(parameters.decoderWeight, or: nil)
        (tasks, droppedTasks) = (packing.tasks, packing.droppedTasks)
        pack(using: workers)
    }

    /// Packs the current parameters.
    package func pack(using workers: Workers) {
        workers.forEach(tasks.count) { tasks[$0].run() }
    }

    /// Drops recurrent weights for a training step, until the parameters are packed again.
    package func dropWeights(seed: UInt64, step: Int, using workers: Workers) {
        guard let weightDropout else { return }
        weightDropout.draw(from: parameters, seed: seed, step: step, using: workers)
        workers.forEach(droppedTasks.count) { droppedTasks[$0].run() }
    }

    /// Turns the gradient of a step with dropped weights into one of the parameters.
    func maskGradient(_ gradient: Parameters<Scalar>, using workers: Workers) {
        weightDropout?.mask(gradient, using: workers)
    }
}

/// One packed matrix, where it comes from, and some of its panels.
private struct PackingTask<Scalar: KernelScalar>: Sendable {
    let target: PackedMatrix<Scalar>
    let source: MatrixView<Scalar>
    let transposes: Bool
    let panels: Range<Int>

    @specialized(where Scalar == Float)
    func run() {
        if transposes {
            Scalar.kernels.pack(transposeOf: source, into: target, panels: panels)
        } else {
            Scalar.kernels.pack(source, into: target, panels: panels)
        }
    }
}

/// Makes packed matrices, and the tasks that fill them.
private struct Packing<Scalar: KernelScalar> {
    let learns: Bool
    let precision: Precision
    private(set) var tasks: [PackingTask<Scalar>] = []
    private(set) var droppedTasks: [PackingTask<Scalar>] = []

    init(learns: Bool, precision: Precision) { (self.learns, self.precision) = (learns, precision) }

    /// - Parameter dropped: what replaces the parameter in steps with dropped weights.
    mutating func weight(_ parameter: MatrixView<Scalar>, or dropped: Matrix<Scalar>?) -> Weight<Scalar> {
        Weight(
            parameter: parameter, forward: pack(parameter, or: dropped, transposes: true),
            backward: learns ? pack(parameter, or: dropped, transposes: false) : nil)
    }

    private mutating func pack(
        _ source: MatrixView<Scalar>, or dropped: Matrix<Scalar>?, transposes: Bool
    ) -> PackedMatrix<Scalar> {
        let (inner, columns) = transposes ? (source.columns, source.rows) : (source.rows, source.columns)
        let target = PackedMatrix<Scalar>(inner: inner, columns: columns, precision: precision)
        for first in stride(from: 0, to: target.panels, by: 8) {
            let panels = first..<min(first + 8, target.panels)
            tasks.append(PackingTask(target: target, source: source, transposes: transposes, panels: panels))
            guard let dropped else { continue }
            droppedTasks.append(
                PackingTask(target: target, source: dropped.view, transposes: transposes, panels: panels))
        }
        return target
    }
}
