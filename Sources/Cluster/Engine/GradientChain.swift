import Concurrency
import LinearAlgebra
import RecurrentNetwork
import Synchronization

/// Carries the blocks of a gradient along the ranks and back: each rank continues the sum of the one before it, the last
/// one has the complete sum, which returns to all. So the order of the sums is that of one process.
///
/// While a block travels, others are summed. Blocks travel straight from gradient to gradient, as far as they lie in one
/// piece. The seconds that this rank waits for messages all the same are counted.
final class GradientChain<Scalar: KernelScalar>: BlockExchange {
    private let communicator: Communicator
    private let blocks: [TravellingBlock<Scalar>]
    private let state: Monitor<State>
    private let waited = Atomic<UInt64>(0)

    private struct State: Sendable {
        /// For each block: its partial sum from the rank before; its complete sum from the rank after; its complete sum to the
        /// rank before.
        var arrivals: [Pending?]
        var returns: [Pending?]
        var departures: [Pending?]
        var failure: ClusterError?
    }

    init(_ communicator: Communicator, _ engine: ThreadedEngine<Scalar>) {
        self.communicator = communicator
        blocks = (0..<engine.blocks).map {
            TravellingBlock(engine.gradient(ofBlock: $0), of: engine.gradient)
        }
        let none = [Pending?](repeating: nil, count: blocks.count)
        state = Monitor(State(arrivals: none, returns: none, departures: none))
    }

    private var isFirst: Bool { communicator.rank == 0 }
    private var isLast: Bool { communicator.rank == communicator.ranks - 1 }

    /// Seconds that threads have waited, summed over the threads. On rank 0 only one waits, after the sums.
    var secondsWaited: Double { Double(waited.load(ordering: .relaxed)) * 1e-9 }

    private func count<Result>(_ body: () throws(ClusterError) -> Result) throws(ClusterError) -> Result {
        let began = now()
        defer { waited.wrappingAdd(UInt64(max(0, now() - began) * 1e9), ordering: .relaxed) }
        return try body()
    }

    // MARK: A step

    /// Expects the partial sums of a step. The gradient of the last step is no longer needed.
    func prepare() {
        guard !isFirst else { return }
        for (index, block) in blocks.enumerated() {
            let pending = communicator.receive(block.messages, from: communicator.rank - 1, tag: .partial(index))
            state.change { $0.arrivals[index] = pending }
        }
    }

    func begin(_ index: Int) -> Bool {
        guard !isFirst, let pending = state.read({ $0.arrivals[index] }) else { return false }
        do throws(ClusterError) { try count { () throws(ClusterError) in try communicator.wait(for: pending) } } catch {
            state.change { $0.failure = $0.failure ?? error }
            return false
        }
        blocks[index].unpack()
        return true
    }

    func end(_ index: Int) {
        guard state.read({ $0.failure == nil }) else { return }
        let (block, rank) = (blocks[index], communicator.rank)
        block.pack()
        if isLast { return depart(index) }
        communicator.send(block.messages, to: rank + 1, tag: .partial(index)) { [self] in
            let pending = communicator.receive(block.messages, from: rank + 1, tag: .complete(index)) { [self] in
                if !isFirst { depart(index) }
            }
            state.change { $0.returns[index] = pending }
        }
    }

    /// Sends a complete sum to the rank before.
    private func depart(_ index: Int) {
        let pending = communicator.send(
            blocks[index].messages, to: communicator.rank - 1, tag: .complete(index))
        state.change { $0.departures[index] = pending }
    }

    /// Waits until this rank has the complete sums, and has passed them on.
    func finish() throws(ClusterError) {
        try check()
        for (index, block) in blocks.enumerated() {
            if !isLast {
                try count { () throws(ClusterError) in try communicator.wait(for: try next(\.returns, index)) }
                block.unpack()
            }
            if !isFirst {
                try count { () throws(ClusterError) in try communicator.wait(for: try next(\.departures, index)) }
            }
        }
        let none = [Pending?](repeating: nil, count: blocks.count)
        state.change { $0 = State(arrivals: none, returns: none, departures: none) }
    }

    private func check() throws(ClusterError) {
        if let failure = state.read({ $0.failure }) ?? communicator.failure { throw failure }
    }

    /// A block's message, which begins once an earlier one has moved.
    private func next(_ path: KeyPath<State, [Pending?]> & Sendable, _ index: Int) throws(ClusterError) -> Pending {
        while true {
            try check()
            if let pending = state.wait(atMost: 1, { $0[keyPath: path][index] }) { return pending }
        }
    }
}

/// A block of the gradient as messages: its large parts directly, the rest (biases, columns) through a buffer.
private struct TravellingBlock<Scalar: KernelScalar>: Sendable {
    let messages: [Message]
    private let small: [MatrixView<Scalar>]
    private let buffer: Matrix<Scalar>

    init(_ views: [MatrixView<Scalar>], of gradient: Parameters<Scalar>) {
        func isLarge(_ view: MatrixView<Scalar>) -> Bool { view.isContiguous && view.rows * view.columns >= 4_096 }
        small = views.filter { !isLarge($0) }
        buffer = Matrix(rows: 1, columns: small.reduce(0) { $0 + $1.rows * $1.columns })
        messages =
            views.filter(isLarge).map { Message($0, of: gradient.arena) } + (small.isEmpty ? [] : [Message(buffer)])
    }

    func pack() {
        var first = 0
        for view in small {
            buffer.view.part(first, rows: view.rows, columns: view.columns).copy(view)
            first += view.rows * view.columns
        }
    }

    func unpack() {
        var first = 0
        for view in small {
            view.copy(buffer.view.part(first, rows: view.rows, columns: view.columns))
            first += view.rows * view.columns
        }
    }
}
