import LinearAlgebra

/// The machine that carries out training steps: shards, gradient, optimizer, all allocated once.
package final class TrainingStep<Scalar: KernelScalar>: @unchecked Sendable {
    package let network: Network<Scalar>
    package let optimizer: OptimizerState<Scalar>
    package let gradient: Parameters<Scalar>
    package let shards: [Shard<Scalar>]
    private let firstLanes: [Int]
    private let reduction: GradientReduction<Scalar>
    fileprivate let workers: Workers
    private let seed: UInt64
    /// The window that is being computed.
    private var current = Window(steps: 0, scale: 0, step: 0, fill: { _, _ in 0 })
    private lazy var list = WorkList { [unowned self] shard, _ in run(shard) }
    /// [1, shards]: the loss of each shard, and how many targets it has.
    private let sums: Matrix<Double>
    private let targets: Matrix<Int>

    /// How many lanes each shard has: from 4 to 12, alike, and an even number of shards, so that two threads or four share
    /// them well; fewer for a batch below 8. A constant of the arithmetic, since gradients are summed shard by shard.
    package static func shardLanes(batch: Int) -> [Int] {
        let shards = min(batch, max(1, (batch + 8) / 16) * 2)
        return (0..<shards).map { (batch + shards - 1 - $0) / shards }
    }

    /// Sets the inputs and targets of a shard, given its index, and returns how many targets it has.
    package typealias Fill = @Sendable (Shard<Scalar>, Int) -> Int

    private struct Window {
        var steps: Int
        /// Of the gradient: 1 over the number of symbols.
        var scale: Scalar
        /// Names the dropout masks.
        var step: Int
        var fill: Fill
    }

    package struct Outcome: Sendable {
        /// The sum of the losses in nats, and how many symbols it is over.
        package var nats: Double
        package var symbols: Int
        package var gradientNorm: Double
    }

    /// - Parameter restarts: whether lanes may begin a text within a window.
    package init(
        _ model: ModelConfiguration, parameters: Parameters<Scalar>, optimizer: Optimizer, batch: Int, window: Int,
        restarts: Bool = true, seed: UInt64, workers: Workers
    ) {
        network = Network(model, parameters, learns: true, using: workers)
        self.optimizer = OptimizerState(optimizer, model)
        gradient = Parameters(model)
        let counts = Self.shardLanes(batch: batch)
        shards = counts.map { Shard(model, lanes: $0, steps: window, learns: true, restarts: restarts) }
        firstLanes = counts.indices.map { counts[..<$0].reduce(0, +) }
        reduction = GradientReduction(
            model, shards, into: gradient, rows: window * counts[0], threads: workers.count)
        sums = Matrix(rows: 1, columns: shards.count)
        targets = Matrix(rows: 1, columns: shards.count)
        self.workers = workers
        self.seed = seed
    }

    /// The lanes of a shard.
    package func lanes(ofShard shard: Int) -> Range<Int> {
        firstLanes[shard]..<firstLanes[shard] + shards[shard].lanes
    }

    /// Computes the gradient of the mean loss of a window, and moves the state to its end.
    ///
    /// Where weights are dropped, the network reads the dropped ones until ``update(step:norm:clip:rate:decay:)``.
    ///
    /// - Parameter step: names the dropout masks.
    package func accumulate(steps: Int, symbols: Int, step: Int, fill: @escaping Fill) -> Outcome {
        current = Window(steps: steps, scale: Scalar(1 / Double(symbols)), step: step, fill: fill)
        network.dropWeights(seed: seed, step: step, using: workers)
        workers.run(shards.count, of: list)
        precondition(
            shards.indices.reduce(0) { $0 + targets.view[0, $1] } == symbols, "the lanes do not hold \(symbols) targets"
        )
        current.fill = { _, _ in 0 }
        reduction.run(steps: steps, using: workers)
        network.maskGradient(gradient, using: workers)
        if network.model.isTied { gradient.tie() }
        for shard in shards { shard.advance(steps: steps) }
        return Outcome(
            nats: shards.indices.reduce(0) { $0 + sums.view[0, $1] }, symbols: symbols,
            gradientNorm: optimizer.norm(of: gradient, using: workers))
    }

    /// Carries a shard through the window, forward and back.
    private func run(_ index: Int) {
        let (shard, window, model) = (shards[index], current, network.model)
        let drops = model.dropout > 0
        targets.view[0, index] = window.fill(shard, index)
        shard.forward(
            network, steps: window.steps,
            dropout: drops ? DropoutStream(seed: seed, step: window.step, shard: index) : nil)
        sums.view[0, index] = shard.loss(steps: window.steps, scale: window.scale)
        shard.backward(network, steps: window.steps, dropped: drops)
    }

    /// Moves the parameters along the gradient.
    ///
    /// - Parameter step: counted from 1.
    package func update(step: Int, norm: Double, clip: Double, rate: Double, decay: Double) {
        optimizer.update(
            network.parameters, gradient: gradient, step: step, scale: clipFactor(norm: norm, limit: clip), rate: rate,
            decay: decay, using: workers)
        // Equal gradients move equal weights alike; this makes it certain.
        if network.model.isTied { network.parameters.encoder!.copy(network.parameters.decoderWeight) }
        network.pack(using: workers)
    }

    /// Zero state in every lane: an epoch begins.
    package func clearState() {
        for shard in shards { shard.clearState() }
    }
}

extension TrainingStep where Scalar == Float {
    /// What the next step rests on. Parameters and moments are the ones that are trained, not copies.
    package var state: Checkpoint.TrainerState {
        Checkpoint.TrainerState(
            parameters: network.parameters, moments: optimizer.moments, lanes: shards.map(\.state))
    }

    /// Goes on from a state.
    package func restore(_ state: Checkpoint.TrainerState) {
        network.parameters.all.copy(state.parameters.all)
        for (moment, saved) in zip(optimizer.moments, state.moments) { moment.all.copy(saved.all) }
        for (shard, saved) in zip(shards, state.lanes) { shard.state = saved }
        network.pack(using: workers)
    }
}
