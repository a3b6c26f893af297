import Concurrency
import FoundationEssentials
import LinearAlgebra
import RecurrentNetwork

/// What a rank other than 0 does in a training: it does as rank 0's ``DistributedEngine`` says.
package final class EngineService<Scalar: KernelScalar> {
    private let communicator: Communicator
    private let threads: Int

    package init(_ communicator: Communicator, threads: Int) {
        self.communicator = communicator
        self.threads = threads
    }

    /// Has the services of all other ranks return, and those who only wait for one.
    package static func dismiss(_ communicator: Communicator) { communicator.tellAll(.quit) }

    /// Serves until it is dismissed.
    ///
    /// - Throws: errors of messages.
    package func run() throws(ClusterError) {
        var served: Served?
        while true {
            let command = try command()
            switch command {
            case .begin(let bytes): served = try begin(bytes)
            case .quit: return
            default:
                guard let served else { throw damaged }
                try serve(command, served)
            }
        }
    }

    /// An engine, and what carries its windows and gradients.
    private struct Served {
        var engine: ThreadedEngine<Scalar>
        var part: LaneParts
        var chain: GradientChain<Scalar>
    }

    private func begin(_ bytes: Int) throws(ClusterError) -> Served {
        let text = Matrix<UInt8>(rows: 1, columns: bytes)
        try receive(Message(text))
        guard let description = try? JSONDecoder().decode(EngineDescription.self, from: Data(text.elements)) else {
            throw damaged
        }
        let groups = try sharedGroups(batch: description.batch, ranks: communicator.ranks)[communicator.rank]
        let engine = ThreadedEngine<Scalar>(
            EngineSetup(
                model: description.model, parameters: Parameters(description.model),
                optimizer: description.optimizer, precision: description.precision, batch: description.batch,
                window: description.window, restarts: description.restarts, seed: description.seed,
                measuresHalves: description.measuresHalves, workers: Workers(count: threads)),
            groups: groups)
        try restore(engine)
        return Served(
            engine: engine,
            part: LaneParts(
                LaneWindow(
                    lanes: engine.lanes.count, steps: description.window, ngrams: description.model.ngramEmbedding)),
            chain: GradientChain(communicator, engine))
    }

    private func serve(_ command: EngineCommand, _ served: Served) throws(ClusterError) {
        let engine = served.engine
        switch command {
        case .window(let steps, let symbols, let step):
            try served.part.receive(steps: steps, by: communicator)
            try run(TrainingWindow(served.part.window, steps: steps, symbols: symbols, step: step), served)
        case .update(let step, let scale, let rate, let decay):
            _ = engine.update(UpdateStep(step: step, scale: scale, rate: rate, decay: decay))
        case .clearState: engine.clearState()
        case .laneState: communicator.send(Message(engine.laneState.elements), to: 0, tag: .reply)
        case .restore: try restore(engine)
        case .begin, .quit: throw damaged
        }
    }

    private func run(_ window: TrainingWindow, _ served: Served) throws(ClusterError) {
        let (engine, chain) = (served.engine, served.chain)
        chain.prepare()
        let losses = engine.run(window, from: engine.lanes.lowerBound, chain)
        let halves = engine.halves
        communicator.send(
            Message([halves?.first ?? 0, halves?.whole ?? 0] + losses), to: 0, tag: .reply)
        try chain.finish()
        // As on rank 0: it also masks and ties.
        _ = engine.completeGradient()
    }

    private func restore(_ engine: ThreadedEngine<Scalar>) throws(ClusterError) {
        var state = engine.withState { $0.copy(engine.model) }
        let lanes = Matrix<Scalar>(rows: 1, columns: state.lanes.elements.count)
        for parameters in [state.parameters] + state.moments { try receive(Message(parameters)) }
        try receive(Message(lanes))
        state.lanes = NetworkState(engine.model, lanes: state.lanes.lanes, elements: lanes.elements)
        engine.restore(state)
    }

    private func receive(_ message: Message) throws(ClusterError) {
        try communicator.wait(for: communicator.receive(message, from: 0, tag: .payload))
    }

    private func command() throws(ClusterError) -> EngineCommand {
        let memory = EngineCommand.memory()
        try communicator.wait(for: communicator.receive(Message(memory), from: 0, tag: .command))
        guard let command = EngineCommand(memory.elements) else { throw damaged }
        return command
    }

    private var damaged: ClusterError { .transport(library: communicator.name, reason: "a command is damaged") }
}
