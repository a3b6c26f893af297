import LinearAlgebra

/// Sums the gradients of weights over the shards of a batch.
///
/// The work is cut into tasks by rows (or columns) of the gradients, each of a fixed size and each adding the shards in
/// order: the sums do not depend on the number of threads.
package struct GradientReduction<Scalar: KernelScalar>: Sendable {
    /// A part of a parameter's gradient.
    private enum Task: Sendable {
        case decoderWeight(rows: Range<Int>)
        case inputWeight(layer: Int, rows: Range<Int>)
        case recurrentWeight(layer: Int, rows: Range<Int>)
        case oneHot(columns: Range<Int>)
        case encoder(columns: Range<Int>)
        case biases(layer: Int, columns: Range<Int>)
        case decoderBias
    }

    private let tasks: [Task]
    private let model: ModelConfiguration

    package init(_ model: ModelConfiguration) {
        self.model = model
        func cut(_ length: Int) -> [Range<Int>] {
            stride(from: 0, to: length, by: 128).map { $0..<min($0 + 128, length) }
        }
        let gh = model.cell.gates * model.hidden
        var tasks: [Task] = []
        for layer in (0..<model.layers).reversed() {
            tasks += cut(gh).map { .recurrentWeight(layer: layer, rows: $0) }
            if layer > 0 || !model.isOneHot { tasks += cut(gh).map { .inputWeight(layer: layer, rows: $0) } }
        }
        tasks += cut(model.vocabularySize).map { .decoderWeight(rows: $0) }
        tasks +=
            model.isOneHot ? cut(gh).map { .oneHot(columns: $0) } : cut(model.embedding).map { .encoder(columns: $0) }
        for layer in 0..<model.layers { tasks += cut(gh).map { .biases(layer: layer, columns: $0) } }
        tasks.append(.decoderBias)
        self.tasks = tasks
    }

    /// Overwrites `gradient` with the sums over `shards`, whose windows of `steps` steps have run backward.
    package func run(
        _ shards: [Shard<Scalar>], steps: Int, into gradient: Parameters<Scalar>, using workers: Workers
    ) {
        workers.forEach(tasks.count) { index in run(tasks[index], shards, steps, gradient) }
    }

    private func run(_ task: Task, _ shards: [Shard<Scalar>], _ steps: Int, _ gradient: Parameters<Scalar>) {
        let kernels = Scalar.kernels
        /// target += transpose(the columns of a) b, over all shards.
        func product(
            into target: MatrixView<Scalar>, _ columns: Range<Int>, _ a: (Shard<Scalar>) -> Matrix<Scalar>,
            _ b: (Shard<Scalar>) -> Matrix<Scalar>
        ) {
            target.fill(0)
            for shard in shards {
                let rows = 0..<steps * shard.lanes
                kernels.accumulate(
                    transposed: a(shard).view.rows(rows).columns(columns), times: b(shard).view.rows(rows), into: target
                )
            }
        }
        func sum(into target: MatrixView<Scalar>, _ columns: Range<Int>, _ values: (Shard<Scalar>) -> Matrix<Scalar>) {
            target.fill(0)
            for shard in shards {
                let rows = 0..<steps * shard.lanes
                kernels.addRows(of: values(shard).view.rows(rows).columns(columns), into: target)
            }
        }
        func scatter(
            into target: MatrixView<Scalar>, _ columns: Range<Int>, _ values: (Shard<Scalar>) -> Matrix<Scalar>
        ) {
            target.fill(0)
            for shard in shards {
                let rows = 0..<steps * shard.lanes
                kernels.scatterAdd(
                    values(shard).view.rows(rows).columns(columns), at: shard.ids.view.columns(rows), into: target)
            }
        }
        switch task {
        case .decoderWeight(let rows):
            product(into: gradient.decoderWeight.rows(rows), rows, \.logits) { $0.layers.last!.output }
        case .decoderBias:
            sum(into: gradient.decoderBias, 0..<model.vocabularySize, \.logits)
        case .recurrentWeight(let layer, let rows):
            product(into: gradient.layers[layer].recurrentWeight.rows(rows), rows) {
                $0.layers[layer].recurrentGradient
            } _: {
                $0.layers[layer].previous
            }
        case .inputWeight(let layer, let rows):
            product(into: gradient.layers[layer].inputWeight.rows(rows), rows) {
                $0.layers[layer].gateValues
            } _: {
                layer > 0 ? $0.layers[layer - 1].output : $0.embedded
            }
        case .oneHot(let columns):
            scatter(into: gradient.layers[0].inputWeight.columns(columns), columns) { $0.layers[0].gateValues }
        case .encoder(let columns):
            scatter(into: gradient.encoder!.columns(columns), columns, \.embeddedGradient)
        case .biases(let layer, let columns):
            sum(into: gradient.layers[layer].inputBias.columns(columns), columns) { $0.layers[layer].gateValues }
            sum(into: gradient.layers[layer].recurrentBias.columns(columns), columns) {
                $0.layers[layer].recurrentGradient
            }
        }
    }
}
