import Concurrency
import FoundationEssentials
import LinearAlgebra
import RecurrentNetwork

/// The engine of several processes: synchronous data-parallel training, in which each rank carries some of the groups of
/// lanes, and all have the same weights. This is rank 0's; the other ranks run an ``EngineService``.
///
/// Results are those of one process, to the bit: the sums of losses and gradients are made in the same order (see
/// ``GradientChain``), and everything after them is the same arithmetic on every rank.
package final class DistributedEngine<Scalar: KernelScalar>: Engine {
    private let communicator: Communicator
    private let local: ThreadedEngine<Scalar>
    /// The groups of lanes and the lanes of each rank, and the memory that carries its part of a window.
    private let groups: [Range<Int>]
    private let lanes: [Range<Int>]
    private var parts: [LaneParts]
    private let chain: GradientChain<Scalar>
    /// Seconds spent in steps so far.
    private var secondsInSteps = 0.0
    /// How many of them rank 0 has waited for the losses of other ranks.
    private var secondsForReplies = 0.0

    /// Has the other ranks make their engines. All ranks must be in an ``EngineService``, or come to one.
    ///
    /// - Throws: `ClusterError.tooManyRanks`, and errors of messages.
    package init(_ setup: EngineSetup<Scalar>, over communicator: Communicator) throws(ClusterError) {
        let groups = try sharedGroups(batch: setup.batch, ranks: communicator.ranks)
        let local = ThreadedEngine(setup, groups: groups[0])
        let all = LaneGroups(batch: setup.batch).ranges
        self.groups = groups
        self.communicator = communicator
        self.local = local
        lanes = groups.map { all[$0.lowerBound].lowerBound..<all[$0.upperBound - 1].upperBound }
        parts = lanes.map {
            LaneParts(LaneWindow(lanes: $0.count, steps: setup.window, ngrams: setup.model.ngramEmbedding))
        }
        chain = GradientChain(communicator, local)
        let description = EngineDescription(
            model: setup.model, optimizer: setup.optimizer, precision: setup.precision, batch: setup.batch,
            window: setup.window, restarts: setup.restarts, seed: setup.seed, measuresHalves: setup.measuresHalves)
        let bytes = Array((try? JSONEncoder().encode(description)) ?? Data())
        for rank in 1..<communicator.ranks {
            communicator.tell(.begin(bytes: bytes.count), to: rank)
            communicator.send(Message(bytes), to: rank, tag: .payload)
        }
        try send(local.withState(\.self))
    }

    package var model: ModelConfiguration { local.model }

    // MARK: A step

    package func gradient(of window: TrainingWindow) throws -> GradientReport {
        let began = now()
        let replies = try (1..<communicator.ranks).map { rank in try start(window, on: rank) }
        var losses = local.run(window, chain)
        try chain.finish()
        var halves = local.halves
        for reply in replies {
            let waited = now()
            try communicator.wait(for: reply.pending)
            secondsForReplies += now() - waited
            let numbers = reply.memory.elements
            losses += numbers.dropFirst(2)
            halves?.first += numbers[0]
            halves?.whole += numbers[1]
        }
        let norm = local.completeGradient()
        secondsInSteps += now() - began
        return GradientReport(losses: losses, norm: norm, halves: halves)
    }

    /// Sends a rank its lanes of a window; it will reply with both halves of the gradient and the losses of its groups.
    private func start(
        _ window: TrainingWindow, on rank: Int
    ) throws(ClusterError) -> (memory: Matrix<Double>, pending: Pending) {
        communicator.tell(.window(steps: window.steps, symbols: window.symbols, step: window.step), to: rank)
        try parts[rank].send(window, lanes[rank], to: rank, by: communicator)
        let memory = Matrix<Double>(rows: 1, columns: 2 + groups[rank].count)
        return (memory, communicator.receive(Message(memory), from: rank, tag: .reply))
    }

    package func update(_ step: UpdateStep) throws -> Bool {
        communicator.tellAll(.update(step: step.step, scale: step.scale, rate: step.rate, decay: step.decay))
        return local.update(step)
    }

    /// Seconds spent in steps so far, and how many of them in waiting for messages.
    package var seconds: (steps: Double, waiting: Double) {
        (secondsInSteps, chain.secondsWaited + secondsForReplies)
    }

    // MARK: State

    package func clearState() throws {
        communicator.tellAll(.clearState)
        local.clearState()
    }

    package var laneState: NetworkState<Scalar> {
        get throws {
            communicator.tellAll(.laneState)
            let memory = (1..<communicator.ranks).map { rank in
                Matrix<Scalar>(rows: 1, columns: NetworkState<Scalar>(model, lanes: lanes[rank].count).elements.count)
            }
            let pending = memory.enumerated().map {
                communicator.receive(Message($1), from: $0 + 1, tag: .reply)
            }
            var states = [local.laneState]
            for (index, one) in pending.enumerated() {
                try communicator.wait(for: one)
                states.append(
                    NetworkState(model, lanes: lanes[index + 1].count, elements: memory[index].elements))
            }
            return NetworkState(joining: states)
        }
    }

    package func withState<Result>(_ body: (EngineState<Scalar>) throws -> Result) throws -> Result {
        let lanes = try laneState
        return try local.withState { state in
            var state = state
            state.lanes = lanes
            return try body(state)
        }
    }

    package func restore(_ state: EngineState<Scalar>) throws {
        communicator.tellAll(.restore)
        try send(state, lanesOf: state.lanes)
        var own = state
        own.lanes = state.lanes[lanes: lanes[0]]
        local.restore(own)
    }

    /// Sends the other ranks the parameters, the moments, and the states of their lanes: zero unless given.
    private func send(
        _ state: EngineState<Scalar>, lanesOf states: NetworkState<Scalar>? = nil
    ) throws(ClusterError) {
        var all: [Pending] = []
        for rank in 1..<communicator.ranks {
            for parameters in [state.parameters] + state.moments {
                all.append(communicator.send(Message(parameters), to: rank, tag: .payload))
            }
            let own = states?[lanes: lanes[rank]] ?? NetworkState(model, lanes: lanes[rank].count)
            all.append(communicator.send(Message(own.elements), to: rank, tag: .payload))
        }
        for pending in all { try communicator.wait(for: pending) }
    }

    package func withParameters<Result>(_ body: (Parameters<Scalar>) throws -> Result) rethrows -> Result {
        try local.withParameters(body)
    }

    package func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result {
        try local.withNetwork(body)
    }
}

extension Communicator {
    func tell(_ command: EngineCommand, to rank: Int) { send(command.message, to: rank, tag: .command) }

    func tellAll(_ command: EngineCommand) { for rank in 1..<ranks { tell(command, to: rank) } }
}

/// A rank's lanes of a window on their way.
struct LaneParts {
    let window: LaneWindow
    private var pending: [Pending] = []

    init(_ window: LaneWindow) { self.window = window }

    private func messages(_ steps: Int) -> [Message] {
        let count = steps * window.lanes
        return [
            Message(window.ids, first: count), Message(window.targets, first: count),
            Message(window.resets, first: count),
        ] + (window.before.view.rows > 0 ? [Message(window.before)] : [])
    }

    mutating func send(
        _ whole: TrainingWindow, _ lanes: Range<Int>, to rank: Int, by communicator: Communicator
    ) throws(ClusterError) {
        for one in pending { try communicator.wait(for: one) }
        window.copy(lanes, of: whole.input, steps: whole.steps)
        pending = messages(whole.steps).map { communicator.send($0, to: rank, tag: .payload) }
    }

    func receive(steps: Int, by communicator: Communicator) throws(ClusterError) {
        let pending = messages(steps).map { communicator.receive($0, from: 0, tag: .payload) }
        for one in pending { try communicator.wait(for: one) }
    }
}

extension Message {
    /// All parameters, gaps included.
    init<Scalar: KernelScalar>(_ parameters: Parameters<Scalar>) { self.init(parameters.arena) }
}
