import LinearAlgebra

/// A network: its parameters, and the same packed for products.
///
/// The packed copies are made once for each optimizer step; whoever changes the parameters calls ``pack(using:)``.
package final class Network<Scalar: KernelScalar>: @unchecked Sendable {
    package struct Layer: Sendable {
        /// W_ih transposed [K, GH]; nil for a one-hot input, whose rows are gathered.
        package let input: PackedMatrix<Scalar>?
        /// W_hh transposed [H, GH].
        package let recurrent: PackedMatrix<Scalar>
        /// W_ih [GH, K] and W_hh [GH, H], for the way back.
        package let inputBackward: PackedMatrix<Scalar>?
        package let recurrentBackward: PackedMatrix<Scalar>?
    }

    package let model: ModelConfiguration
    package let parameters: Parameters<Scalar>
    package let layers: [Layer]
    /// W transposed [H, V], and W [V, H] for the way back.
    package let decoder: PackedMatrix<Scalar>
    package let decoderBackward: PackedMatrix<Scalar>?
    private let tasks: [PackingTask]
    private lazy var list = WorkList { [unowned self] task, _ in run(tasks[task]) }
    /// Where training drops weights: those of a step, and the tasks that pack them in place of the parameters.
    private let weightDropout: WeightDropout<Scalar>?
    private let droppedTasks: [PackingTask]
    private lazy var droppedList = WorkList { [unowned self] task, _ in run(droppedTasks[task]) }

    /// One packed matrix, where it comes from, and some of its panels.
    private struct PackingTask: Sendable {
        let target: PackedMatrix<Scalar>
        let source: MatrixView<Scalar>
        let transposes: Bool
        let panels: Range<Int>
    }

    /// A network that reads the same parameters rounded to bfloat16, in half the memory; biases and a one-hot input's rows stay
    /// as they are.
    package func compacted() -> Network { Network(compacting: self) }

    private init(compacting other: Network) {
        let kernels = Scalar.kernels
        model = other.model
        parameters = other.parameters
        layers = other.layers.map { layer in
            Layer(
                input: layer.input.map(kernels.compact), recurrent: kernels.compact(layer.recurrent),
                inputBackward: nil, recurrentBackward: nil)
        }
        decoder = kernels.compact(other.decoder)
        decoderBackward = nil
        (tasks, droppedTasks, weightDropout) = ([], [], nil)
    }

    /// A network with the given parameters, packed.
    ///
    /// - Parameter learns: whether it can be trained; one that only reads takes half the memory.
    package init(_ model: ModelConfiguration, _ parameters: Parameters<Scalar>, learns: Bool, using workers: Workers) {
        self.model = model
        self.parameters = parameters
        let dropout = learns && model.weightDropout > 0 ? WeightDropout<Scalar>(model) : nil
        var (tasks, droppedTasks): ([PackingTask], [PackingTask]) = ([], [])
        func pack(
            _ source: MatrixView<Scalar>, or dropped: Matrix<Scalar>? = nil, transposes: Bool
        ) -> PackedMatrix<Scalar> {
            let target =
                transposes
                ? PackedMatrix<Scalar>(inner: source.columns, columns: source.rows)
                : PackedMatrix<Scalar>(inner: source.rows, columns: source.columns)
            func cut(_ source: MatrixView<Scalar>) -> [PackingTask] {
                stride(from: 0, to: target.panels, by: 8).map { first in
                    let panels = first..<min(first + 8, target.panels)
                    return PackingTask(target: target, source: source, transposes: transposes, panels: panels)
                }
            }
            tasks += cut(source)
            if let dropped { droppedTasks += cut(dropped.view) }
            return target
        }
        layers = parameters.layers.enumerated().map { index, layer in
            let gathers = index == 0 && model.isOneHot
            let dropped = dropout?.weights[index]
            return Layer(
                input: gathers ? nil : pack(layer.inputWeight, transposes: true),
                recurrent: pack(layer.recurrentWeight, or: dropped, transposes: true),
                inputBackward: gathers || !learns ? nil : pack(layer.inputWeight, transposes: false),
                recurrentBackward: learns ? pack(layer.recurrentWeight, or: dropped, transposes: false) : nil)
        }
        decoder = pack(parameters.decoderWeight, transposes: true)
        decoderBackward = learns ? pack(parameters.decoderWeight, transposes: false) : nil
        (self.tasks, self.droppedTasks, weightDropout) = (tasks, droppedTasks, dropout)
        self.pack(using: workers)
    }

    /// Packs the parameters as they are now.
    package func pack(using workers: Workers) {
        precondition(!tasks.isEmpty, "a compacted network cannot change")
        workers.run(tasks.count, of: list)
    }

    /// Drops recurrent weights for a training step, until the parameters are packed again.
    func dropWeights(seed: UInt64, step: Int, using workers: Workers) {
        guard let weightDropout else { return }
        weightDropout.draw(from: parameters, seed: seed, step: step, using: workers)
        workers.run(droppedTasks.count, of: droppedList)
    }

    /// Makes the gradient of a step whose weights were dropped one of the parameters.
    func maskGradient(_ gradient: Parameters<Scalar>, using workers: Workers) {
        weightDropout?.mask(gradient, using: workers)
    }

    private func run(_ task: PackingTask) {
        if task.transposes {
            Scalar.kernels.pack(transposeOf: task.source, into: task.target, panels: task.panels)
        } else {
            Scalar.kernels.pack(task.source, into: task.target, panels: task.panels)
        }
    }
}
