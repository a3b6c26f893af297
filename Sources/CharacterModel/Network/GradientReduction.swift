import LinearAlgebra

/// Sums the gradients of weights over the shards of a batch.
///
/// The work is cut into tasks by rows (or columns) of the gradients, each of a fixed size and each adding the shards in
/// order: the sums do not depend on the number of threads.
package final class GradientReduction<Scalar: KernelScalar>: @unchecked Sendable {
    /// A part of a parameter's gradient.
    private enum Task: Sendable {
        /// Rows of a layer's weights and columns of its biases.
        case layer(Int, rows: Range<Int>)
        case decoder(rows: Range<Int>)
        case encoder(columns: Range<Int>)
    }

    private static var taskSize: Int { 128 }

    private let tasks: [Task]
    private let model: ModelConfiguration
    /// For each thread, a part of the gradient of pre-activations [T B, 128], packed.
    private let scratch: [PackedMatrix<Scalar>]

    private let shards: [Shard<Scalar>]
    private let gradient: Parameters<Scalar>
    /// Of the windows that are summed.
    private var steps = 0
    private lazy var list = WorkList { [unowned self] in run($0, worker: $1) }

    /// - Parameters:
    ///   - gradient: is overwritten with the sums over `shards`.
    ///   - rows: T B of the largest shard.
    ///   - threads: of the workers that will run it.
    package init(
        _ model: ModelConfiguration, _ shards: [Shard<Scalar>], into gradient: Parameters<Scalar>, rows: Int,
        threads: Int
    ) {
        self.model = model
        self.shards = shards
        self.gradient = gradient
        func cut(_ length: Int) -> [Range<Int>] {
            stride(from: 0, to: length, by: Self.taskSize).map { $0..<min($0 + Self.taskSize, length) }
        }
        let gh = model.cell.gates * model.hidden
        var tasks: [Task] = []
        for layer in (0..<model.layers).reversed() { tasks += cut(gh).map { .layer(layer, rows: $0) } }
        tasks += cut(model.vocabularySize).map { .decoder(rows: $0) }
        tasks += cut(model.embedding).map { .encoder(columns: $0) }
        self.tasks = tasks
        scratch = (0..<threads).map { _ in PackedMatrix(inner: rows, columns: Self.taskSize) }
    }

    /// Sums over windows of `steps` steps that have run backward.
    package func run(steps: Int, using workers: Workers) {
        self.steps = steps
        workers.run(tasks.count, of: list)
    }

    private func run(_ index: Int, worker: Int) {
        let (task, packed) = (tasks[index], scratch[worker])
        let kernels = Scalar.kernels
        switch task {
        case .layer(let index, let rows):
            let target = gradient.layers[index]
            let (inputBias, recurrentBias) = (target.inputBias.columns(rows), target.recurrentBias.columns(rows))
            inputBias.clear()
            recurrentBias.clear()
            let table = index == 0 && model.isOneHot ? target.inputWeight.columns(rows) : nil
            table?.clear()
            for (number, shard) in shards.enumerated() {
                let layer = shard.layers[index]
                let inner = steps * shard.lanes
                func part(_ matrix: Matrix<Scalar>) -> MatrixView<Scalar> {
                    matrix.view.rows(0..<inner).columns(rows)
                }
                func product(_ b: PackedMatrix<Scalar>, from first: Int, into weight: MatrixView<Scalar>) {
                    kernels.product(
                        transposed: packed, b, from: first, inner: inner, accumulate: number > 0,
                        into: weight.rows(rows))
                }
                let scatter = table.map { (ids: shard.ids.view.columns(0..<inner), table: $0) }
                kernels.pack(
                    part(layer.recurrentGradient), into: packed, fromPanel: 0, sums: recurrentBias,
                    scatter: model.cell == .gru ? nil : scatter)
                product(layer.learning!.packedStates, from: 0, into: target.recurrentWeight)
                if model.cell == .gru {
                    kernels.pack(
                        part(layer.gateValues), into: packed, fromPanel: 0, sums: inputBias, scatter: scatter)
                }
                if index > 0 {
                    let input = shard.layers[index - 1].packedOutput
                    product(input.matrix, from: input.from, into: target.inputWeight)
                } else if let input = shard.packedEmbedded {
                    product(input, from: 0, into: target.inputWeight)
                }
            }
            if model.cell != .gru { inputBias.copy(recurrentBias) }
        case .decoder(let rows):
            let bias = gradient.decoderBias.columns(rows)
            bias.clear()
            for (number, shard) in shards.enumerated() {
                let inner = steps * shard.lanes
                let output = shard.layers.last!.packedOutput
                kernels.pack(shard.logits.view.rows(0..<inner).columns(rows), into: packed, sums: bias)
                kernels.product(
                    transposed: packed, output.matrix, from: output.from, inner: inner, accumulate: number > 0,
                    into: gradient.decoderWeight.rows(rows))
            }
        case .encoder(let columns):
            let table = gradient.encoder!.columns(columns)
            table.clear()
            for shard in shards {
                let inner = 0..<steps * shard.lanes
                kernels.scatterAdd(
                    shard.embeddedGradient.view.rows(inner).columns(columns), at: shard.ids.view.columns(inner),
                    into: table)
            }
        }
    }
}
