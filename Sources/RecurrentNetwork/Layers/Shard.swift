import LinearAlgebra
import Randomness

/// Some lanes of a batch, and everything one thread needs to run them through a window, forward and backward.
///
/// A shard's arithmetic does not depend on other shards, and products treat rows alike, so results depend neither on
/// the number of threads nor on which of them runs a shard. Every buffer is allocated once.
package final class Shard<Scalar: KernelScalar>: Sendable {
    package let model: ModelConfiguration
    let layers: [LayerWindow<Scalar>]
    /// What the lanes read.
    package let input: LaneWindow
    package var lanes: Int { input.lanes }
    /// T, at most.
    package var capacity: Int { input.capacity }
    /// [T B, V]: logits, then the gradient of the loss with respect to them.
    package let logits: Matrix<Scalar>
    /// [1, T B].
    package let losses: Matrix<Double>
    /// [T B, E]: the embedded input and its gradient.
    private let embedded: Matrix<Scalar>
    private let packedEmbedded: PackedMatrix<Scalar>?
    /// [N - 1, T B]: the rows of the n-grams, counted from the first row of each length.
    let ngrams: Matrix<Int32>
    let embeddedGradient: Matrix<Scalar>

    /// - Parameters:
    ///   - learns: whether it can run backward.
    ///   - restarts: whether lanes may begin a text within a window.
    ///   - precision: of the network that it learns with.
    package init(
        _ model: ModelConfiguration, lanes: Int, steps: Int, learns: Bool, restarts: Bool = true,
        precision: Precision = .float32, from memory: MemoryLedger = MemoryLedger()
    ) {
        let (rows, e) = (steps * lanes, model.embedding)
        self.model = model
        // While a layer runs backward, only its own and that of the layer below are needed.
        let gradients: [Matrix<Scalar>] = (0..<min(2, model.layers)).map { _ in
            memory.matrix(learns ? rows : 0, model.hidden)
        }
        layers = (0..<model.layers).map { layer in
            LayerWindow(
                model, layer: layer,
                WindowShape(
                    layer: model.layer(layer), lanes: lanes, steps: steps, learns: learns, precision: precision),
                restarts: restarts, outputGradient: gradients[layer % 2], from: memory)
        }
        input = LaneWindow(lanes: lanes, steps: steps, ngrams: model.ngramEmbedding, from: memory)
        ngrams = memory.matrix(model.ngramLengths, model.embedsNgrams ? rows : 0)
        logits = memory.matrix(rows, model.vocabularySize)
        losses = memory.matrix(1, rows)
        embedded = memory.matrix(model.isOneHot ? 0 : rows, e)
        embeddedGradient = memory.matrix(model.isOneHot || !learns ? 0 : rows, e)
        packedEmbedded = model.isOneHot || !learns ? nil : memory.packed(inner: rows, columns: e, precision)
    }

    // MARK: State

    /// The state before the window that comes next.
    package var state: NetworkState<Scalar> {
        get {
            var state = NetworkState<Scalar>(model, lanes: lanes)
            forEachState { index, layer, window in state.values[index][layer] = window.state(index, before: 0).elements
            }
            return state
        }
        set {
            precondition(newValue.lanes == lanes, "a state of \(newValue.lanes) lanes for \(lanes)")
            forEachState { index, layer, window in window.state(index, before: 0).assign(newValue.values[index][layer])
            }
        }
    }

    /// Sets the state before the next window to zero.
    package func clearState() { forEachState { index, _, window in window.state(index, before: 0).clear() } }

    private func forEachState(_ body: (_ state: Int, _ layer: Int, LayerWindow<Scalar>) -> Void) {
        for (number, layer) in layers.enumerated() {
            for state in layer.states.indices { body(state, number, layer) }
        }
    }

    /// Makes the state after `steps` steps the initial state of the next window.
    @specialized(where Scalar == Float)
    package func advance(steps: Int) {
        for index in layers.indices { hand(layer: index, after: steps, to: self) }
    }

    /// Makes a layer's state after `steps` steps the initial state of another shard's window.
    @specialized(where Scalar == Float)
    package func hand(layer index: Int, after steps: Int, to other: Shard) {
        let (layer, next) = (layers[index], other.layers[index])
        for state in layer.states.indices {
            next.state(state, before: 0).copy(layer.state(state, before: steps))
        }
    }

    // MARK: Forward

    /// Computes the logits of a window.
    ///
    /// - Parameter dropout: draws the masks of a training step; nil to read without dropout. Masks are inverted: kept
    ///   values are divided by the keep probability (Srivastava et al. 2014). They are outside the recurrence (Zaremba
    ///   et al. 2014) and stay the same through a window (variational dropout: Gal & Ghahramani 2016).
    @specialized(where Scalar == Float)
    package func forward(_ network: Network<Scalar>, steps: Int, dropout: DropoutStream? = nil) {
        forward(network, steps: steps, resets: input.resets(steps), dropout: dropout)
    }

    /// The same, with the resets of the window already known.
    @specialized(where Scalar == Float)
    func forward(_ network: Network<Scalar>, steps: Int, resets: [Reset], dropout: DropoutStream?) {
        precondition(steps >= 1 && steps <= capacity, "\(steps) steps in a window of \(capacity)")
        for index in layers.indices {
            project(network, layer: index, steps: 0..<steps, dropout: dropout)
            layers[index].recur(
                steps: steps, resets: resets, input: values(for: index), weights: network.layers[index],
                dropout: model.dropout > 0 ? dropout?.generator(layer: index) : nil)
        }
        decode(network, steps: steps)
    }

    /// The first half of a layer's part of some steps; the layer below must already be done.
    @specialized(where Scalar == Float)
    package func project(
        _ network: Network<Scalar>, layer index: Int, steps: Range<Int>, dropout: DropoutStream? = nil
    ) {
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        if index == 0, let encoder = network.parameters.encoder {
            let target = embedded.view.rows(rows)
            Scalar.kernels.gather(input.ids.view.columns(rows), from: encoder, bias: nil, into: target)
            if let tables = network.parameters.ngrams { addNgrams(steps, from: tables, to: target, dropout) }
        }
        layers[index].cell.project(steps, of: values(for: index), weights: network.layers[index])
    }

    /// Adds the embeddings of the n-grams that end at some steps to those of the symbols.
    private func addNgrams(
        _ steps: Range<Int>, from tables: MatrixView<Scalar>, to target: MatrixView<Scalar>, _ dropout: DropoutStream?
    ) {
        input.findNgrams(steps, rows: model.ngramRows, into: ngrams.view)
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        if let dropout, model.ngramDropout > 0 {
            var generator = dropout.ngramGenerator
            ngrams.view.columns(rows).drop(model.ngramDropout, using: &generator)
        }
        let factor = dropout == nil ? 1 : Scalar(model.ngramFactor)
        for length in 0..<model.ngramLengths {
            target.add(
                factor, rowsOf: tables.rows(length * model.ngramRows..<(length + 1) * model.ngramRows),
                at: ngrams.view.rows(length..<length + 1).columns(rows))
        }
    }

    /// What a layer reads.
    private func values(for index: Int) -> LayerInput<Scalar> {
        if index > 0 { return .matrix(layers[index - 1].output(capacity)) }
        return model.isOneHot ? .ids(input.ids.view) : .matrix(embedded.view)
    }

    /// The second half of a layer's part of a window, read without dropout.
    package func recur(_ network: Network<Scalar>, layer index: Int, steps: Int) {
        layers[index].recur(
            steps: steps, resets: input.resets(steps), input: values(for: index), weights: network.layers[index],
            dropout: nil)
    }

    /// The logits of a window whose layers are done.
    @specialized(where Scalar == Float)
    package func decode(_ network: Network<Scalar>, steps: Int) {
        Scalar.kernels.product(
            layers.last!.output(steps), network.decoder.forward!, bias: network.parameters.decoderBias,
            accumulate: false, into: logits.view.rows(0..<steps * lanes))
    }

    /// Turns the logits of a window into losses and into `scale` times their gradient; returns the sum of the losses.
    @specialized(where Scalar == Float)
    package func loss(steps: Int, scale: Scalar) -> Double {
        let rows = 0..<steps * lanes
        let losses = losses.view.columns(rows)
        Scalar.kernels.softmaxCrossEntropy(
            logits: logits.view.rows(rows), targets: input.targets.view.columns(rows), scale: scale, losses: losses)
        return rows.reduce(0) { $0 + losses[0, $1] }
    }

    /// The gate activations of a layer [T B, GH] in a window that has run forward; see ``RecurrentCell/gates``.
    package func gateValues(layer index: Int) -> MatrixView<Scalar> { layers[index].cell.gateValues.view }

    /// One of a layer's states after each of the first steps [T B, H], unless a reset has cleared it since.
    package func states(layer index: Int, state: Int, steps: Int) -> MatrixView<Scalar> {
        layers[index].states[state].view.rows(lanes..<(steps + 1) * lanes)
    }

    // MARK: Backward

    /// Propagates the gradient of the logits back through the window, until the gradients of weights are only products.
    ///
    /// - Parameters:
    ///   - dropped: whether `forward` drew masks.
    ///   - tap: receives the gradient of each layer's states, the topmost layer first.
    @specialized(where Scalar == Float)
    package func backward(
        _ network: Network<Scalar>, steps: Int, resets: [Reset], dropped: Bool,
        tap: ((_ layer: Int, _ step: Int, _ state: Int, _ gradient: MatrixView<Scalar>) -> Void)? = nil
    ) {
        let rows = 0..<steps * lanes
        Scalar.kernels.product(
            logits.view.rows(rows), network.decoder.backward!, bias: nil, accumulate: false,
            into: layers.last!.outputGradient.view.rows(rows))
        for index in layers.indices.reversed() {
            let below: MatrixView<Scalar>? =
                index > 0
                ? layers[index - 1].outputGradient.view.rows(rows)
                : model.isOneHot ? nil : embeddedGradient.view.rows(rows)
            layers[index].backward(
                steps: steps, resets: resets, input: values(for: index), weights: network.layers[index],
                dropped: dropped, inputGradient: below,
                tap: tap.map { tap in { step, state, gradient in tap(index, step, state, gradient) } })
        }
        if let packedEmbedded { Scalar.kernels.pack(embedded.view.rows(rows), into: packedEmbedded) }
    }

    /// What a layer's input weights are multiplied by when their gradient is summed.
    func gradientInput(ofLayer index: Int) -> GradientInput<Scalar> {
        if index > 0 { return layers[index - 1].gradientInput }
        return packedEmbedded.map { .packed($0, from: 0) } ?? .ids(input.ids.view)
    }
}

/// The random numbers of one training step's dropout in one group of lanes.
package struct DropoutStream: Sendable {
    package let seed: UInt64
    package let step: Int
    /// The number of the group among those of the whole batch; see ``LaneGroups``.
    package let group: Int

    package init(seed: UInt64, step: Int, group: Int) {
        self.seed = seed
        self.step = step
        self.group = group
    }

    var ngramGenerator: SplitMix64 {
        SplitMix64(seed: seed, stream: RandomStream.ngramDropout, UInt64(step), UInt64(group))
    }

    func generator(layer: Int) -> SplitMix64 {
        SplitMix64(seed: seed, stream: RandomStream.dropout, UInt64(step), UInt64(group), UInt64(layer))
    }
}
