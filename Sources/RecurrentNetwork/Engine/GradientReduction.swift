import Concurrency
import LinearAlgebra

/// Sums the gradients of weights over the shards of a batch.
///
/// The work is cut into blocks by rows (or columns) of the gradients, each of a fixed size and each adding the shards in
/// order: the sums do not depend on the number of threads.
final class GradientReduction<Scalar: KernelScalar>: Sendable {
    /// A part of the gradient.
    private enum Block: Sendable {
        case layer(Int, GradientTask)
        /// Rows of the decoder's weight and columns of its bias.
        case decoder(Range<Int>)
        /// Columns of the encoder.
        case encoder(Range<Int>)
        /// The n-grams of one length, the shortest being 0.
        case ngrams(length: Int, rows: Range<Int>)
    }

    private let blocks: [Block]
    /// For each thread, a part of the gradient of pre-activations [T B, 128], packed.
    private let scratch: [PackedMatrix<Scalar>]
    private let gradient: Parameters<Scalar>
    /// The rows of n-grams that have a gradient.
    let sparse: SparseRows
    /// nil where they are not measured.
    let squares: BlockSquares?

    /// - Parameters:
    ///   - gradient: holds the sums.
    ///   - rows: T B of a group of lanes, at most.
    ///   - threads: of the workers that will run it.
    ///   - isShared: whether other ranks add to the sums.
    ///   - measured: the groups after which the sums' squares are noted, if any.
    init(
        _ model: ModelConfiguration, into gradient: Parameters<Scalar>, rows: Int, threads: Int,
        precision: Precision, isShared: Bool, measured: (half: Int?, whole: Int?)? = nil
    ) {
        self.gradient = gradient
        sparse = SparseRows(model, isShared: isShared)
        // The longest tasks first.
        var blocks = (0..<model.ngramLengths).map {
            Block.ngrams(length: $0, rows: $0 * model.ngramRows..<($0 + 1) * model.ngramRows)
        }
        for layer in (0..<model.layers).reversed() {
            blocks += model.cell.cell.gradientTasks(of: model.layer(layer)).map { .layer(layer, $0) }
        }
        blocks += pieces(of: model.vocabularySize).map { .decoder($0) }
        blocks += pieces(of: model.embedding).map { .encoder($0) }
        self.blocks = blocks
        squares = measured.map { BlockSquares(blocks: blocks.count, half: $0.half, whole: $0.whole) }
        scratch = Self.scratch(rows: rows, threads: threads, precision, from: MemoryLedger())
    }

    /// A packed matrix for each thread.
    static func scratch(
        rows: Int, threads: Int, _ precision: Precision, from memory: MemoryLedger
    ) -> [PackedMatrix<Scalar>] {
        (0..<threads).map { _ in memory.packed(inner: rows, columns: GradientTask.size, precision) }
    }

    var count: Int { blocks.count }

    /// Adds some groups of lanes, whose windows of `steps` steps have run backward, to the sums of all blocks.
    ///
    /// - Parameters:
    ///   - shards: of consecutive groups.
    ///   - first: the number of the first group among those of this engine.
    ///   - begins: called before each block's sum; says whether it goes on from what is there.
    ///   - ends: called after it.
    func add(
        _ shards: [Shard<Scalar>], from first: Int, steps: Int, using workers: Workers,
        begins: @Sendable (_ block: Int) -> Bool, ends: @Sendable (_ block: Int) -> Void
    ) {
        workers.run(blocks.count) { index, worker in
            let continues = begins(index)
            sum(blocks[index], shards, steps: steps, continues: continues, scratch[worker]) { number in
                if let squares { squares.note(views(ofBlock: index), ofBlock: index, after: first + number) }
            }
            ends(index)
        }
    }

    @specialized(where Scalar == Float)
    private func sum(
        _ block: Block, _ shards: [Shard<Scalar>], steps: Int, continues: Bool, _ scratch: PackedMatrix<Scalar>,
        then: (_ number: Int) -> Void
    ) {
        for (number, shard) in shards.enumerated() {
            let accumulates = continues || number > 0
            switch block {
            case .layer(let index, let task):
                shard.layers[index].cell.addGradient(
                    to: GradientSum(
                        task: task, rows: steps * shard.lanes, gradient: gradient.layers[index],
                        input: shard.gradientInput(ofLayer: index), scratch: scratch, accumulates: accumulates))
            case .decoder(let rows): addDecoder(rows, of: shard, steps: steps, accumulates: accumulates, scratch)
            case .encoder(let columns): addEncoder(columns, of: shard, steps: steps, accumulates: accumulates)
            case .ngrams(let length, let rows):
                addNgrams(length, to: rows, of: shard, steps: steps, accumulates: accumulates)
            }
            then(number)
        }
        if case .ngrams(let length, _) = block { sparse.sort(length: length) }
    }

    private func addDecoder(
        _ outputs: Range<Int>, of shard: Shard<Scalar>, steps: Int, accumulates: Bool, _ scratch: PackedMatrix<Scalar>
    ) {
        let sum = GradientSum(
            task: GradientTask(tensors: [0, 1], outputs: outputs), rows: steps * shard.lanes,
            gradient: [gradient.decoderWeight, gradient.decoderBias], input: shard.layers.last!.gradientInput,
            scratch: scratch, accumulates: accumulates)
        sum.take(shard.logits, bias: 1, gathered: nil)
        sum.addProductWithInput(to: 0)
    }

    private func addEncoder(_ columns: Range<Int>, of shard: Shard<Scalar>, steps: Int, accumulates: Bool) {
        let rows = 0..<steps * shard.lanes
        let table = gradient.encoder!.columns(columns)
        if !accumulates { table.clear() }
        Scalar.kernels.scatterAdd(
            shard.embeddedGradient.view.rows(rows).columns(columns), at: shard.input.ids.view.columns(rows),
            into: table)
    }

    private func addNgrams(
        _ length: Int, to rows: Range<Int>, of shard: Shard<Scalar>, steps: Int, accumulates: Bool
    ) {
        let (table, places) = (gradient.ngrams!, 0..<steps * shard.lanes)
        let lookups = shard.ngrams.view.rows(length..<length + 1).columns(places)
        if !accumulates { sparse.clear(length: length, of: table) }
        sparse.note(lookups, length: length)
        table.rows(rows).scatter(
            Scalar(shard.model.ngramFactor), times: shard.embeddedGradient.view.rows(places), at: lookups)
    }

    /// The parts of the gradient that a block covers.
    func views(ofBlock index: Int) -> [MatrixView<Scalar>] {
        switch blocks[index] {
        case .layer(let layer, let task):
            let entries = gradient.layout.entries(ofLayer: layer)
            return task.tensors.map { tensor in
                let view = gradient.layers[layer][tensor]
                let isByColumn = entries[tensor].isBias || entries[tensor].isTransposed
                return isByColumn ? view.columns(task.outputs) : view.rows(task.outputs)
            }
        case .decoder(let rows): return [gradient.decoderWeight.rows(rows), gradient.decoderBias.columns(rows)]
        case .encoder(let columns): return [gradient.encoder!.columns(columns)]
        case .ngrams(_, let rows): return [gradient.ngrams!.rows(rows)]
        }
    }
}
