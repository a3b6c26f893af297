import Concurrency
import LinearAlgebra

/// The engine of one process: threads share its groups of lanes, which take turns in its shards (see ``WindowPasses``). All
/// memory is allocated once.
package final class ThreadedEngine<Scalar: KernelScalar>: Engine {
    package let network: Network<Scalar>
    package let optimizer: OptimizerState<Scalar>
    package let gradient: Parameters<Scalar>
    package let shards: [Shard<Scalar>]
    private let passes: [[WindowPasses.Turn]]
    /// The states of each group.
    private let states: [LaneStates<Scalar>]
    /// The lanes of the batch that it processes.
    package let lanes: Range<Int>
    /// The lanes of each of its groups, counted from 0 in the whole batch, and the number of the first one.
    private let groups: [Range<Int>]
    private let firstGroup: Int
    private let reduction: GradientReduction<Scalar>
    private let workers: Workers
    private let seed: UInt64
    private let precision: Precision

    /// - Parameter groups: the groups of lanes that this engine processes; nil for all of them. If others are before them, all stay
    ///   in memory: the sums over those before, which come first, may arrive late.
    package init(_ setup: EngineSetup<Scalar>, groups: Range<Int>? = nil) {
        let (model, workers) = (setup.model, setup.workers)
        let all = LaneGroups(batch: setup.batch).ranges
        let own = groups ?? all.indices
        precondition(!own.isEmpty && own.upperBound <= all.count, "groups \(own) of \(all.count)")
        network = Network(model, setup.parameters, learns: true, precision: setup.precision, using: workers)
        optimizer = OptimizerState(setup.optimizer, model)
        gradient = Parameters(model)
        self.groups = Array(all[own])
        firstGroup = own.lowerBound
        lanes = all[own.lowerBound].lowerBound..<all[own.upperBound - 1].upperBound
        func shard(_ lanes: Int, from memory: MemoryLedger = MemoryLedger()) -> Shard<Scalar> {
            Shard(
                model, lanes: lanes, steps: setup.window, learns: true, restarts: setup.restarts,
                precision: setup.precision, from: memory)
        }
        let sizes = self.groups.map(\.count)
        let memory = MemoryLedger(isDry: true)
        _ = shard(sizes[0], from: memory)
        let turns = WindowPasses(
            groups: sizes, shardBytes: memory.bytes, within: firstGroup > 0 ? .infinity : setup.windowBytes,
            threads: workers.count)
        shards = turns.shards.map { shard($0) }
        passes = turns.passes
        states = sizes.map { LaneStates(model, lanes: $0) }
        let half = all.count / 2 - 1 - own.lowerBound
        let measured = (
            half: sizes.indices.contains(half) ? half : nil,
            whole: own.upperBound == all.count ? sizes.count - 1 : nil
        )
        reduction = GradientReduction(
            model, into: gradient, rows: setup.window * sizes[0], threads: workers.count,
            precision: setup.precision, isShared: own.count < all.count, measured: setup.measuresHalves ? measured : nil
        )
        self.workers = workers
        (seed, precision) = (setup.seed, setup.precision)
    }

    package var model: ModelConfiguration { network.model }

    // MARK: A step

    package func gradient(of window: TrainingWindow) -> GradientReport {
        let losses = run(window)
        return GradientReport(losses: losses, norm: completeGradient(), halves: halves)
    }

    /// Runs its lanes through a window, forward and backward, moves their state to the end of the window, and sums the
    /// gradient.
    ///
    /// With weight dropout, the network uses the dropped weights until the next update.
    ///
    /// - Parameters:
    ///   - first: the first lane that the window holds: all of the batch, or only this engine's.
    ///   - exchange: what comes before and after each block's sum, for an engine that shares the batch.
    /// - Returns: the sum of the losses in nats of each of its groups of lanes, in order.
    package func run(
        _ window: TrainingWindow, from first: Int = 0, _ exchange: (any BlockExchange<Scalar>)? = nil
    ) -> [Double] {
        network.dropWeights(seed: seed, step: window.step, using: workers)
        let losses = Matrix<Double>(rows: 1, columns: groups.count)
        for (number, pass) in passes.enumerated() {
            run(pass, window, from: first, losses: losses)
            let (isFirst, isLast) = (number == 0, number == passes.count - 1)
            reduction.add(
                pass.map { shards[$0.shard] }, from: pass[0].group, steps: window.steps, using: workers,
                begins: { isFirst ? exchange?.begin($0) ?? false : true },
                ends: { if isLast { exchange?.end($0) } })
        }
        return losses.elements
    }

    /// Runs some groups through a window, up to the gradients of pre-activations.
    private func run(
        _ pass: [WindowPasses.Turn], _ window: TrainingWindow, from first: Int, losses: Matrix<Double>
    ) {
        let scale = Scalar(1 / Double(window.symbols))
        let (drops, dropsNgrams) = (model.dropout > 0, model.ngramDropout > 0)
        workers.forEach(pass.count) { [shards, states, groups, network, seed, firstGroup] index in
            let (group, shard) = (pass[index].group, shards[pass[index].shard])
            let lanes = groups[group].lowerBound - first..<groups[group].upperBound - first
            shard.input.copy(lanes, of: window.input, steps: window.steps)
            shard.begin(with: states[group])
            let dropout =
                drops || dropsNgrams
                ? DropoutStream(seed: seed, step: window.step, group: firstGroup + group) : nil
            let resets = shard.input.resets(window.steps)
            shard.forward(network, steps: window.steps, resets: resets, dropout: dropout)
            losses.view[0, group] = shard.loss(steps: window.steps, scale: scale)
            shard.backward(network, steps: window.steps, resets: resets, dropped: drops)
            shard.end(window.steps, into: states[group])
        }
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
        return optimizer.norm(of: gradient, rows: reduction.sparse, using: workers)
    }

    package func update(_ step: UpdateStep) -> Bool {
        let isFinite = optimizer.update(
            network.parameters, gradient: gradient, rows: reduction.sparse, step, using: workers)
        // Equal gradients should move equal weights equally; this guarantees it.
        if model.isTied { network.parameters.encoder!.copy(network.parameters.decoderWeight) }
        network.pack(using: workers)
        return isFinite
    }

    // MARK: State

    package var laneState: NetworkState<Scalar> {
        get { NetworkState(joining: states.map { $0.value(model) }) }
        set {
            precondition(newValue.lanes == lanes.count, "a state of \(newValue.lanes) lanes for \(lanes.count)")
            for (group, range) in zip(states, groups) {
                group.set(newValue[lanes: range.lowerBound - lanes.lowerBound..<range.upperBound - lanes.lowerBound])
            }
        }
    }

    package func withState<Result>(_ body: (EngineState<Scalar>) throws -> Result) rethrows -> Result {
        try body(EngineState(parameters: network.parameters, moments: optimizer.moments, lanes: laneState))
    }

    package func clearState() { laneState = NetworkState(model, lanes: lanes.count) }

    package func restore(_ state: EngineState<Scalar>) {
        network.parameters.all.copy(state.parameters.all)
        for (moment, saved) in zip(optimizer.moments, state.moments) { moment.all.copy(saved.all) }
        laneState = state.lanes
        network.pack(using: workers)
    }

    package func withParameters<Result>(_ body: (Parameters<Scalar>) throws -> Result) rethrows -> Result {
        try body(network.parameters)
    }

    package func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result {
        guard precision != .float32 else { return try body(network) }
        return try body(Network(model, network.parameters, learns: false, using: workers))
    }
}

/// The memory that training takes with some options, in bytes: parameters, gradient, moments, packed copies, and the
/// buffers of a window, which are counted as they are allocated.
///
/// - Parameter ranks: the processes that share the lanes; all but the first keep their share in memory.
package func trainingMemory(
    _ model: ModelConfiguration, optimizer: Optimizer, precision: Precision = .float32, batch: Int, window: Int,
    restarts: Bool, threads: Int, ranks: Int = 1
) -> Double {
    let parameters = Double(ParameterLayout(model).count)
    // Also the last good state, the best model, and the dropped weights.
    let copies = Double(9 + 2 * optimizer.moments.count + (model.weightDropout > 0 ? 2 : 0))
    let memory = MemoryLedger(isDry: true)
    func shard(_ lanes: Int) -> Double {
        let before = memory.bytes
        _ = Shard<Float>(
            model, lanes: lanes, steps: window, learns: true, restarts: restarts, precision: precision, from: memory)
        return memory.bytes - before
    }
    let all = LaneGroups(batch: batch).ranges.map(\.count)
    let sizes = Array(all.prefix((all.count + ranks - 1) / ranks))
    // They are equal, or differ by one lane.
    let largest = sizes.first ?? 1
    let bytes = [largest: shard(largest), largest - 1: shard(max(1, largest - 1))]
    let turns = WindowPasses(
        groups: sizes, shardBytes: bytes[largest] ?? 0,
        within: ranks > 1 ? .infinity : EngineSetup<Float>.usualWindowBytes, threads: threads)
    let shards = turns.shards.reduce(0) { $0 + (bytes[$1] ?? 0) }
    let rest = MemoryLedger(isDry: true)
    _ = GradientReduction<Float>.scratch(rows: window * largest, threads: threads, precision, from: rest)
    _ = LaneWindow(lanes: batch, steps: window, ngrams: model.ngramEmbedding, from: rest)
    return 4 * parameters * copies + shards + rest.bytes
}
