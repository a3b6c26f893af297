import Cluster
import Concurrency
import LinearAlgebra
import RecurrentNetwork

/// The messages between ranks that are threads of one process.
package final class MemoryNetwork: Sendable {
    private struct Route: Hashable { let from, to, tag: Int }
    private struct State: Sendable {
        /// Sends complete when they are received, as those of long messages do in MPI: their memory is read only then.
        var waiting: [Route: [(operation: Int, memory: Message)]] = [:]
        var expected: [Route: [(operation: Int, memory: Message)]] = [:]
        var completed: [Int: [Int]] = [:]
        var operations = 0
        /// Ranks whose messages are lost from now on, both ways.
        var cut: Set<Int> = []
    }

    package let ranks: Int
    private let state = Monitor(State())

    package init(ranks: Int) { self.ranks = ranks }

    package func transport(_ rank: Int) -> any Transport { MemoryTransport(network: self, rank: rank) }

    /// Loses all messages to and from a rank from now on, as if it had died.
    package func cut(_ rank: Int) { state.change { _ = $0.cut.insert(rank) } }

    fileprivate func send(_ message: Message, _ from: Int, _ to: Int, _ tag: Int) -> Int {
        state.change { state in
            state.operations += 1
            guard state.cut.isDisjoint(with: [from, to]) else {
                state.completed[from, default: []].append(state.operations)
                return state.operations
            }
            state.waiting[Route(from: from, to: to, tag: tag), default: []].append((state.operations, message))
            deliver(Route(from: from, to: to, tag: tag), &state)
            return state.operations
        }
    }

    fileprivate func receive(_ message: Message, _ from: Int, _ to: Int, _ tag: Int) -> Int {
        state.change { state in
            state.operations += 1
            let route = Route(from: from, to: to, tag: tag)
            state.expected[route, default: []].append((state.operations, message))
            deliver(route, &state)
            return state.operations
        }
    }

    private func deliver(_ route: Route, _ state: inout State) {
        while let sent = state.waiting[route]?.first, let place = state.expected[route]?.first {
            let bytes = sent.memory.bytes
            precondition(bytes.count <= place.memory.bytes.count, "a message of \(bytes.count) bytes is too long")
            place.memory.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
            state.completed[route.from, default: []].append(sent.operation)
            state.waiting[route]!.removeFirst()
            state.expected[route]!.removeFirst()
            state.completed[route.to, default: []].append(place.operation)
        }
    }

    fileprivate func completed(_ rank: Int) -> [Int] {
        state.change { state in
            defer { state.completed[rank] = [] }
            return state.completed[rank] ?? []
        }
    }
}

private struct MemoryTransport: Transport {
    let network: MemoryNetwork
    let rank: Int
    var ranks: Int { network.ranks }
    var name: String { "memory" }

    func send(_ message: Message, to rank: Int, tag: Int) -> Int { network.send(message, self.rank, rank, tag) }
    func receive(_ message: Message, from rank: Int, tag: Int) -> Int { network.receive(message, rank, self.rank, tag) }
    func completed() -> [Int] { network.completed(rank) }
    func finish() {}
    func abort(_ code: Int32) {}
}

/// Ranks that are threads of this process: rank 0 is the caller's, the others serve its engines.
package final class MemoryCluster: Sendable {
    package let network: MemoryNetwork
    package let leader: Communicator
    private let left: Monitor<[Int: ClusterError?]>

    /// - Parameters:
    ///   - threads: of each rank.
    package convenience init(ranks: Int, threads: Int = 1, patience: Double = 30) throws {
        try self.init(ranks: ranks, patience: patience) { _ in }
    }

    /// - Parameters:
    ///   - signal: that of the ranks other than 0.
    ///   - onSignal: rank 0's.
    ///   - body: what the ranks other than 0 do before they serve engines.
    package init(
        ranks: Int, threads: Int = 1, patience: Double = 30, signal: @escaping @Sendable () -> Int32 = { 0 },
        onSignal: @escaping @Sendable (Int32) -> Void = { _ in },
        _ body: @escaping @Sendable (Cluster) throws -> Void
    ) throws {
        let network = MemoryNetwork(ranks: ranks)
        let left = Monitor([Int: ClusterError?]())
        for rank in 1..<max(1, ranks) {
            let isRunning = startThread {
                do {
                    let communicator = try Communicator(patience: patience, signal: signal) { network.transport(rank) }
                    try body(Cluster(communicator))
                    try EngineService<Float>(communicator, threads: threads).run()
                    _ = communicator.leave()
                    left.change { $0[rank] = .some(nil) }
                } catch {
                    left.change { $0[rank] = error as? ClusterError ?? .ended }
                }
            }
            precondition(isRunning)
        }
        self.network = network
        self.left = left
        leader = try Communicator(patience: patience, onSignal: onSignal) { network.transport(0) }
    }

    /// An engine over the ranks, or the usual one for a single rank.
    package func engine(_ setup: EngineSetup<Float>) throws(ClusterError) -> any Engine<Float> {
        if network.ranks == 1 { return ThreadedEngine(setup) }
        return try DistributedEngine(setup, over: leader)
    }

    /// Waits until the other ranks have ended; returns what each of them threw.
    package func leave() -> [Int: ClusterError] {
        EngineService<Float>.dismiss(leader)
        _ = leader.leave()
        return left.wait { [ranks = network.ranks] in $0.count == ranks - 1 ? $0.compactMapValues(\.self) : nil }!
    }
}
