import Concurrency
import LinearAlgebra
import RecurrentNetwork
import Synchronization

/// Carries the blocks of a gradient along the ranks and back: each rank continues the sum of the one before it, the last
/// one has the complete sum, which returns to all. So the order of the sums is that of one process.
///
/// While a block travels, others are summed. Time that a thread still waits for a block is counted.
final class GradientChain<Scalar: KernelScalar>: BlockExchange {
    private let communicator: Communicator
    /// For each block, its elements on their way.
    private let buffers: [Matrix<Scalar>]
    private let state: Monitor<State>
    private let waited = Atomic<UInt64>(0)

    private struct State: Sendable {
        /// For each block: its partial sum to be received, and its complete sum to be received or (on the last rank) sent.
        var arrivals: [Pending?]
        var returns: [Pending?]
        /// For each block: its last message to the rank before, which must have gone before the buffer is used again.
        var departures: [Pending?]
        var failure: ClusterError?
    }

    init(_ communicator: Communicator, blockSizes: [Int]) {
        self.communicator = communicator
        buffers = blockSizes.map { Matrix(rows: 1, columns: $0) }
        let none = [Pending?](repeating: nil, count: blockSizes.count)
        state = Monitor(State(arrivals: none, returns: none, departures: none))
    }

    private var isFirst: Bool { communicator.rank == 0 }
    private var isLast: Bool { communicator.rank == communicator.ranks - 1 }

    /// Seconds that threads have waited for blocks, summed over the threads.
    var secondsWaited: Double { Double(waited.load(ordering: .relaxed)) * 1e-9 }

    private func wait(for pending: Pending?) -> Bool {
        guard let pending else { return true }
        let began = now()
        defer { waited.wrappingAdd(UInt64(max(0, now() - began) * 1e9), ordering: .relaxed) }
        do throws(ClusterError) { try communicator.wait(for: pending) } catch {
            state.change { $0.failure = $0.failure ?? error }
            return false
        }
        return true
    }

    // MARK: A step

    /// Expects the partial sums of a step.
    func prepare() {
        guard !isFirst else { return }
        for block in buffers.indices {
            // Long gone as a rule.
            guard wait(for: state.change { $0.departures[block] }) else { return }
            let pending = communicator.receive(
                Message(buffers[block]), from: communicator.rank - 1, tag: .partial(block))
            state.change { $0.arrivals[block] = pending }
        }
    }

    func begin(_ block: Int, _ gradient: [MatrixView<Scalar>]) -> Bool {
        guard !isFirst, wait(for: state.change { $0.arrivals[block] }) else { return false }
        copy(block, to: gradient)
        return true
    }

    func end(_ block: Int, _ gradient: [MatrixView<Scalar>]) {
        guard state.change({ $0.failure == nil }) else { return }
        let (buffer, rank) = (buffers[block], communicator.rank)
        var first = 0
        for view in gradient {
            let count = view.rows * view.columns
            buffer.view.part(first, rows: view.rows, columns: view.columns).copy(view)
            first += count
        }
        if isLast { return depart(block) }
        communicator.send(Message(buffer), to: rank + 1, tag: .partial(block)) { [self] in
            let pending = communicator.receive(Message(buffer), from: rank + 1, tag: .complete(block)) { [self] in
                if !isFirst { depart(block) }
            }
            state.change { $0.returns[block] = pending }
        }
    }

    /// Sends a complete sum to the rank before.
    private func depart(_ block: Int) {
        let pending = communicator.send(Message(buffers[block]), to: communicator.rank - 1, tag: .complete(block))
        state.change { $0.departures[block] = pending }
    }

    /// Waits for the complete sums, and copies them.
    ///
    /// - Parameter views: those of each block.
    func finish(_ views: (Int) -> [MatrixView<Scalar>]) throws(ClusterError) {
        guard !isLast else { return try check() }
        for block in buffers.indices {
            let began = now()
            let pending: Pending? = try expected(block)
            waited.wrappingAdd(UInt64(max(0, now() - began) * 1e9), ordering: .relaxed)
            guard wait(for: pending) else { break }
            copy(block, to: views(block))
        }
        state.change { $0.returns = Array(repeating: nil, count: buffers.count) }
        try check()
    }

    private func check() throws(ClusterError) {
        if let failure = state.change({ $0.failure }) { throw failure }
    }

    /// The message that brings a block's complete sum, once its partial sum has gone.
    private func expected(_ block: Int) throws(ClusterError) -> Pending {
        while true {
            try check()
            if let failure = communicator.failure { throw failure }
            if let pending = state.wait(atMost: 1, { $0.returns[block] }) { return pending }
        }
    }

    private func copy(_ block: Int, to gradient: [MatrixView<Scalar>]) {
        var first = 0
        for view in gradient {
            view.copy(buffers[block].view.part(first, rows: view.rows, columns: view.columns))
            first += view.rows * view.columns
        }
    }
}
