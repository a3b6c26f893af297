import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// One pass of a network over a text, in one lane, from its start.
///
/// Step t reads symbol t - 1 (or the boundary, where the state is reset) and predicts symbol t. The step after the last symbol reads
/// it and predicts nothing.
struct TextPass {
    let network: Network<Float>
    let text: EncodedText

    /// What the network computed in some consecutive steps.
    struct Chunk {
        let steps: Range<Int>
        fileprivate let shard: Shard<Float>

        /// [steps, H]: a layer's state after each step; state 0 is its output.
        func states(layer: Int, state: Int = 0) -> MatrixView<Float> {
            shard.states(layer: layer, state: state, steps: steps.count)
        }

        /// [steps, GH]: see ``CellWindow/gateValues``.
        func gates(layer: Int) -> MatrixView<Float> { shard.gateValues(layer: layer) }

        /// [1, steps]: -ln p of the symbols, without the spelling of unknown ones.
        var losses: MatrixView<Double> { shard.losses.view.columns(0..<steps.count) }
    }

    /// - Parameters:
    ///   - count: the number of steps, at most one more than the text has symbols.
    ///   - scores: whether the losses are needed.
    ///   - body: called with each chunk, in order.
    func run<Failure>(
        steps count: Int, scores: Bool = false, _ body: (Chunk) throws(Failure) -> Void
    ) throws(Failure) {
        precondition((0...text.count + 1).contains(count), "\(count) steps of a text of \(text.count) symbols")
        guard count > 0 else { return }
        let lane = [Lane(origin: 0, scored: 0..<min(count, text.count), startsFresh: false)]
        let shard = Shard<Float>(network.model, lanes: 1, steps: min(256, count), learns: false)
        for range in chunks(of: count, atMost: shard.capacity) {
            _ = shard.input.fill(lane, of: text, first: range.lowerBound, steps: range.count)
            shard.forward(network, steps: range.count)
            if scores { _ = shard.loss(steps: range.count, scale: 1) }
            try body(Chunk(steps: range, shard: shard))
            shard.advance(steps: range.count)
        }
    }

    /// A reset clears the state that the step before it left, so a chunk ends there.
    private func chunks(of count: Int, atMost size: Int) -> [Range<Int>] {
        var chunks: [Range<Int>] = []
        var start = 0
        func close(at end: Int) {
            while start < end {
                chunks.append(start..<min(start + size, end))
                start = chunks[chunks.count - 1].upperBound
            }
        }
        text.forEachTarget(upTo: count) { position, _, isFresh in if isFresh { close(at: position) } }
        close(at: count)
        return chunks
    }
}
