import Concurrency
import LinearAlgebra

/// The engine of one process: threads share its groups of lanes, one shard per group. All memory is allocated once.
package final class ThreadedEngine<Scalar: KernelScalar>: Engine {
    package let network: Network<Scalar>
    /// The same weights in float32, for inference, if the network's products are in bfloat16.
    private let exact: Network<Scalar>?
    package let optimizer: OptimizerState<Scalar>
    package let gradient: Parameters<Scalar>
    package let shards: [Shard<Scalar>]
    /// The lanes of the batch that it processes.
    package let lanes: Range<Int>
    /// The lanes of each shard, counted from 0 in the whole batch, and the number of the first one's group.
    private let groups: [Range<Int>]
    private let firstGroup: Int
    private let reduction: GradientReduction<Scalar>
    private let workers: Workers
    private let seed: UInt64
    /// The steps of the window that has been run.
    private var steps = 0

    /// - Parameter groups: the groups of lanes that this engine processes; nil for all of them.
    package init(_ setup: EngineSetup<Scalar>, groups: Range<Int>? = nil) {
        let (model, workers) = (setup.model, setup.workers)
        let all = LaneGroups(batch: setup.batch).ranges
        let own = groups ?? all.indices
        precondition(!own.isEmpty && own.upperBound <= all.count, "groups \(own) of \(all.count)")
        network = Network(model, setup.parameters, learns: true, precision: setup.precision, using: workers)
        exact =
            setup.precision == .float32
            ? nil : Network(model, setup.parameters, learns: false, using: workers)
        optimizer = OptimizerState(setup.optimizer, model)
        gradient = Parameters(model)
        self.groups = Array(all[own])
        firstGroup = own.lowerBound
        lanes = all[own.lowerBound].lowerBound..<all[own.upperBound - 1].upperBound
        shards = all[own].map {
            Shard(
                model, lanes: $0.count, steps: setup.window, learns: true, restarts: setup.restarts,
                precision: setup.precision)
        }
        let half = all.count / 2 - 1 - own.lowerBound
        let measured = (
            half: shards.indices.contains(half) ? half : nil,
            whole: own.upperBound == all.count ? shards.count - 1 : nil
        )
        reduction = GradientReduction(
            model, shards, into: gradient, threads: workers.count, precision: setup.precision,
            measured: setup.measuresHalves ? measured : nil)
        self.workers = workers
        seed = setup.seed
    }

    package var model: ModelConfiguration { network.model }

    // MARK: A step

    package func gradient(of window: TrainingWindow) -> GradientReport {
        let losses = run(window)
        reduce()
        return GradientReport(losses: losses, norm: completeGradient(), halves: halves)
    }

    /// Runs its lanes through a window, forward and backward, and moves their state to the end of the window.
    ///
    /// With weight dropout, the network uses the dropped weights until the next update.
    ///
    /// - Parameter first: the first lane that the window holds: all of the batch, or only this engine's.
    /// - Returns: the sum of the losses in nats of each of its groups of lanes, in order.
    package func run(_ window: TrainingWindow, from first: Int = 0) -> [Double] {
        network.dropWeights(seed: seed, step: window.step, using: workers)
        steps = window.steps
        let scale = Scalar(1 / Double(window.symbols))
        let drops = model.dropout > 0
        let sums = Matrix<Double>(rows: 1, columns: shards.count)
        workers.forEach(shards.count) { [shards, groups, network, seed, firstGroup] index in
            let shard = shards[index]
            let lanes = groups[index].lowerBound - first..<groups[index].upperBound - first
            shard.input.copy(lanes, of: window.input, steps: window.steps)
            let dropout =
                drops ? DropoutStream(seed: seed, step: window.step, group: firstGroup + index) : nil
            let resets = shard.input.resets(window.steps)
            shard.forward(network, steps: window.steps, resets: resets, dropout: dropout)
            sums.view[0, index] = shard.loss(steps: window.steps, scale: scale)
            shard.backward(network, steps: window.steps, resets: resets, dropped: drops)
            shard.advance(steps: window.steps)
        }
        return sums.elements
    }

    /// Sums the gradient of the window that has run.
    ///
    /// - Parameter exchange: for an engine that shares the batch.
    package func reduce(_ exchange: (any BlockExchange<Scalar>)? = nil) {
        reduction.run(steps: steps, using: workers, exchange)
    }

    /// The number of blocks that the gradient is summed in: a constant of the model.
    package var blocks: Int { reduction.count }

    /// The parts of the gradient that a block covers.
    package func gradient(ofBlock block: Int) -> [MatrixView<Scalar>] { reduction.views(ofBlock: block) }

    /// What the sums were halfway and at the end, as far as this engine has taken them.
    package var halves: GradientHalves? { reduction.squares?.halves }

    /// Makes the sum of all blocks the gradient of the weights, and returns its norm.
    package func completeGradient() -> Double {
        network.maskGradient(gradient, using: workers)
        if model.isTied { gradient.tie() }
        return optimizer.norm(of: gradient, using: workers)
    }

    package func update(_ step: UpdateStep) -> Bool {
        let isFinite = optimizer.update(network.parameters, gradient: gradient, step, using: workers)
        // Equal gradients should move equal weights equally; this guarantees it.
        if model.isTied { network.parameters.encoder!.copy(network.parameters.decoderWeight) }
        network.pack(using: workers)
        return isFinite
    }

    // MARK: State

    package var laneState: NetworkState<Scalar> {
        get { NetworkState(joining: shards.map(\.state)) }
        set {
            precondition(newValue.lanes == lanes.count, "a state of \(newValue.lanes) lanes for \(lanes.count)")
            for (shard, range) in zip(shards, groups) {
                shard.state = newValue[lanes: range.lowerBound - lanes.lowerBound..<range.upperBound - lanes.lowerBound]
            }
        }
    }

    package var state: EngineState<Scalar> {
        EngineState(
            parameters: network.parameters.copy(model), moments: optimizer.moments.map { $0.copy(model) },
            lanes: laneState)
    }

    package func clearState() { laneState = NetworkState(model, lanes: lanes.count) }

    package func restore(_ state: EngineState<Scalar>) {
        network.parameters.all.copy(state.parameters.all)
        for (moment, saved) in zip(optimizer.moments, state.moments) { moment.all.copy(saved.all) }
        laneState = state.lanes
        network.pack(using: workers)
    }

    package func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result {
        exact?.pack(using: workers)
        return try body(exact ?? network)
    }
}

/// The memory that training takes with some options, in bytes: parameters, gradient, moments, packed copies, and the
/// buffers of a window, which are counted as they are allocated.
package func trainingMemory(
    _ model: ModelConfiguration, optimizer: Optimizer, precision: Precision = .float32, batch: Int, window: Int,
    restarts: Bool, threads: Int
) -> Double {
    let parameters = Double(ParameterLayout(model).count)
    // Also the last good state, the one that is being saved, and the dropped weights.
    let copies = Double(10 + 3 * optimizer.moments.count + (model.weightDropout > 0 ? 2 : 0))
    let memory = MemoryLedger(isDry: true)
    func shard(_ lanes: Int) -> Double {
        let before = memory.bytes
        _ = Shard<Float>(
            model, lanes: lanes, steps: window, learns: true, restarts: restarts, precision: precision, from: memory)
        return memory.bytes - before
    }
    // Groups have equal sizes, or differ by one lane.
    let sizes = LaneGroups(batch: batch).ranges.map(\.count)
    let (largest, smallest) = (sizes.first ?? 1, sizes.last ?? 1)
    let large = sizes.count { $0 == largest }
    let shards =
        Double(large) * shard(largest) + (large < sizes.count ? Double(sizes.count - large) * shard(smallest) : 0)
    let rest = MemoryLedger(isDry: true)
    _ = GradientReduction<Float>.scratch(rows: window * largest, threads: threads, precision, from: rest)
    _ = LaneWindow(lanes: batch, steps: window, from: rest)
    return 4 * parameters * copies + shards + rest.bytes
}
