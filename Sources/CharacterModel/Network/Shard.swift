import LinearAlgebra

/// Some lanes of a batch and all that one thread needs to carry them through a window, forward and back.
///
/// A shard's arithmetic does not depend on other shards, and products treat rows alike, so results depend neither on
/// the number of threads nor on which of them runs a shard. Every buffer is allocated once.
package final class Shard<Scalar: KernelScalar>: @unchecked Sendable {
    package let lanes: Int
    /// T, at most.
    package let capacity: Int
    let model: ModelConfiguration
    let layers: [LayerWindow<Scalar>]
    /// [1, T B]: the input of each step and lane.
    package let ids: Matrix<Int32>
    /// [1, T B]: the symbol that follows; negative where nothing is predicted.
    package let targets: Matrix<Int32>
    /// [1, T + 1]: what is read of a text, a lane at a time.
    let symbols: Matrix<Int32>
    /// Where lanes begin a text.
    package var resets: [Reset] = []
    /// [T B, V]: logits, then the gradient of the loss with respect to them.
    package let logits: Matrix<Scalar>
    /// [1, T B].
    package let losses: Matrix<Double>
    /// [T B, E]: the embedded input and its gradient.
    let embedded: Matrix<Scalar>
    let packedEmbedded: PackedMatrix<Scalar>?
    let embeddedGradient: Matrix<Scalar>
    /// [B, H] for each layer: what its output is multiplied by at every step, where dropout is on.
    private let masks: [Matrix<Scalar>]

    /// - Parameters:
    ///   - learns: whether it can run backward.
    ///   - restarts: whether lanes may begin a text within a window.
    package init(_ model: ModelConfiguration, lanes: Int, steps: Int, learns: Bool, restarts: Bool = true) {
        self.model = model
        self.lanes = lanes
        capacity = steps
        let rows = steps * lanes
        layers = (0..<model.layers).map { _ in
            LayerWindow(model, lanes: lanes, steps: steps, learns: learns, restarts: restarts)
        }
        ids = Matrix(rows: 1, columns: rows)
        targets = Matrix(rows: 1, columns: rows)
        symbols = Matrix(rows: 1, columns: steps + 1)
        logits = Matrix(rows: rows, columns: model.vocabularySize)
        losses = Matrix(rows: 1, columns: rows)
        embedded = Matrix(rows: model.isOneHot ? 0 : rows, columns: model.embedding)
        embeddedGradient = Matrix(rows: model.isOneHot || !learns ? 0 : rows, columns: model.embedding)
        packedEmbedded = model.isOneHot || !learns ? nil : PackedMatrix(inner: rows, columns: model.embedding)
        masks =
            learns && model.dropout > 0
            ? (0..<model.layers).map { _ in Matrix(rows: lanes, columns: model.hidden) } : []
    }

    /// The state before the window that comes next.
    package var state: NetworkState<Scalar> {
        get {
            var state = NetworkState<Scalar>(model, lanes: lanes)
            for (index, layer) in layers.enumerated() {
                state.hidden[index] = layer.slot(0, of: layer.states).elements
                if model.cell == .lstm { state.cell[index] = layer.slot(0, of: layer.cellStates).elements }
            }
            return state
        }
        set {
            precondition(newValue.lanes == lanes, "a state of \(newValue.lanes) lanes for \(lanes)")
            for (index, layer) in layers.enumerated() {
                layer.slot(0, of: layer.states).assign(newValue.hidden[index])
                if model.cell == .lstm { layer.slot(0, of: layer.cellStates).assign(newValue.cell[index]) }
            }
        }
    }

    /// Makes the state before the next window zero.
    package func clearState() {
        for layer in layers {
            layer.slot(0, of: layer.states).clear()
            if model.cell == .lstm { layer.slot(0, of: layer.cellStates).clear() }
        }
    }

    /// Makes the state after `steps` steps the one before the next window.
    package func advance(steps: Int) {
        for index in layers.indices { hand(layer: index, after: steps, to: self) }
    }

    /// Makes a layer's state after `steps` steps the one before another shard's window.
    func hand(layer index: Int, after steps: Int, to other: Shard) {
        let (layer, next) = (layers[index], other.layers[index])
        next.slot(0, of: next.states).copy(layer.slot(steps, of: layer.states))
        if model.cell == .lstm { next.slot(0, of: next.cellStates).copy(layer.slot(steps, of: layer.cellStates)) }
    }

    /// Computes the logits of a window.
    ///
    /// - Parameter dropout: draws the masks of a training step; nil to read without dropout. Masks are inverted: what is
    ///   kept is divided by the probability to be kept (Srivastava et al. 2014). They lie outside the recurrence (Zaremba et
    ///   al. 2014) and stay the same through a window (variational dropout: Gal & Ghahramani 2016).
    package func forward(_ network: Network<Scalar>, steps: Int, dropout: DropoutStream? = nil) {
        precondition(steps >= 1 && steps <= capacity, "\(steps) steps in a window of \(capacity)")
        for index in layers.indices {
            project(network, layer: index, steps: 0..<steps)
            recur(network, layer: index, steps: steps, dropout: dropout)
        }
        decode(network, steps: steps)
    }

    /// The first half of a layer's part of some steps; the layer below must have done its own.
    func project(_ network: Network<Scalar>, layer index: Int, steps: Range<Int>) {
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        let input: LayerInput<Scalar>
        if index > 0 {
            input = .matrix(layers[index - 1].output(capacity))
        } else if let encoder = network.parameters.encoder {
            Scalar.kernels.gather(ids.view.columns(rows), from: encoder, bias: nil, into: embedded.view.rows(rows))
            input = .matrix(embedded.view)
        } else {
            input = .ids(ids.view)
        }
        layers[index].project(
            steps, of: input, weights: network.layers[index], parameters: network.parameters.layers[index])
    }

    /// The second half of a layer's part of a window.
    func recur(_ network: Network<Scalar>, layer index: Int, steps: Int, dropout: DropoutStream? = nil) {
        let layer = layers[index]
        layer.recur(
            steps: steps, resets: resets, weights: network.layers[index],
            parameters: network.parameters.layers[index])
        if let dropout, !masks.isEmpty {
            var generator = dropout.generator(layer: index)
            Scalar.kernels.fillDropoutMask(masks[index].view, keep: 1 - model.dropout, using: &generator)
            multiply(layer.output(steps), bySteps: masks[index])
        }
    }

    private func multiply(_ values: MatrixView<Scalar>, bySteps mask: Matrix<Scalar>) {
        for first in stride(from: 0, to: values.rows, by: lanes) {
            Scalar.kernels.multiply(values.rows(first..<first + lanes), by: mask.view)
        }
    }

    /// The logits of a window whose layers are done.
    func decode(_ network: Network<Scalar>, steps: Int) {
        Scalar.kernels.product(
            layers.last!.output(steps), network.decoder, bias: network.parameters.decoderBias, accumulate: false,
            into: logits.view.rows(0..<steps * lanes))
    }

    /// Turns the logits of a window into losses and into `scale` times their gradient; returns the sum of the losses.
    package func loss(steps: Int, scale: Scalar) -> Double {
        let rows = 0..<steps * lanes
        let losses = losses.view.columns(rows)
        Scalar.kernels.softmaxCrossEntropy(
            logits: logits.view.rows(rows), targets: targets.view.columns(rows), scale: scale, losses: losses)
        return rows.reduce(0) { $0 + losses[0, $1] }
    }

    /// Carries the gradient of the logits back through the window, to where the gradients of weights are products.
    ///
    /// - Parameter dropped: whether `forward` drew masks.
    package func backward(_ network: Network<Scalar>, steps: Int, dropped: Bool) {
        let rows = 0..<steps * lanes
        let kernels = Scalar.kernels
        kernels.product(
            logits.view.rows(rows), network.decoderBackward!, bias: nil, accumulate: false,
            into: layers.last!.learning!.outputGradient.view.rows(rows))
        for index in layers.indices.reversed() {
            let layer = layers[index]
            if dropped && !masks.isEmpty {
                multiply(layer.learning!.outputGradient.view.rows(rows), bySteps: masks[index])
            }
            let below: MatrixView<Scalar>? =
                index > 0
                ? layers[index - 1].learning!.outputGradient.view.rows(rows)
                : model.isOneHot ? nil : embeddedGradient.view.rows(rows)
            layer.backward(
                steps: steps, resets: resets, weights: network.layers[index], inputGradient: below)
        }
        if let packedEmbedded { kernels.pack(embedded.view.rows(rows), into: packedEmbedded) }
    }
}

/// The random numbers of one training step's dropout in one shard.
package struct DropoutStream: Sendable {
    package let seed: UInt64
    package let step: Int
    package let shard: Int

    package init(seed: UInt64, step: Int, shard: Int) {
        self.seed = seed
        self.step = step
        self.shard = shard
    }

    func generator(layer: Int) -> SplitMix64 {
        SplitMix64(seed: seed, stream: Stream.dropout, UInt64(step), UInt64(shard), UInt64(layer))
    }
}
