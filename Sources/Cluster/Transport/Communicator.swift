import Concurrency
import Glibc
import LinearAlgebra
import Synchronization

/// The messages of one rank. A thread of its own moves them, so that they travel while other threads calculate, and
/// watches that the other ranks are alive.
///
/// Rank 0 and each other rank tell each other every second that they live. A rank that is not heard of for `patience`
/// seconds (its process was stopped, its machine or the network is gone) makes every wait fail, now and later.
package final class Communicator: Sendable {
    package let rank: Int
    package let ranks: Int
    /// What moves the messages, by name.
    package let name: String
    private let queue: Monitor<CommunicatorQueue>
    private let progress: Monitor<CommunicatorProgress>

    /// Joins a launch.
    ///
    /// - Parameters:
    ///   - patience: seconds.
    ///   - signal: the number of the signal that asked this process to stop, or 0: the other ranks are told.
    ///   - onSignal: called with that of another rank, on the communicator's thread.
    ///   - makeTransport: called on the thread that uses the transport.
    package init(
        patience: Double = 30, signal: @escaping @Sendable () -> Int32 = { 0 },
        onSignal: @escaping @Sendable (Int32) -> Void = { _ in },
        _ makeTransport: @escaping @Sendable () throws(ClusterError) -> any Transport
    ) throws(ClusterError) {
        let (queue, progress) = (Monitor(CommunicatorQueue()), Monitor(CommunicatorProgress()))
        let isRunning = startThread {
            do throws(ClusterError) {
                let transport = try makeTransport()
                let place = (transport.rank, transport.ranks, transport.name)
                queue.change { $0.joined = .success(place) }
                var loop = CommunicatorLoop(
                    transport, queue, progress, patience: patience, signal: signal, onSignal: onSignal)
                loop.run()
            } catch {
                queue.change { $0.joined = .failure(error) }
            }
        }
        guard isRunning else { throw .transport(library: "the system", reason: "no thread can be started") }
        guard let joined = queue.wait(atMost: 60, { $0.joined }) else {
            throw .transport(library: "MPI", reason: "not all ranks have joined within a minute")
        }
        (rank, ranks, name) = try joined.get()
        (self.queue, self.progress) = (queue, progress)
    }

    // MARK: Messages

    /// Starts to send a message to a rank; its memory must stay as it is until that has completed.
    ///
    /// - Parameter then: called on the communicator's thread when it has.
    @discardableResult
    package func send(
        _ message: Message, to rank: Int, tag: MessageTag, then: (@Sendable () -> Void)? = nil
    ) -> Pending {
        add([message], .send, rank, tag, then)
    }

    /// The same for several messages of one tag.
    @discardableResult
    package func send(
        _ messages: [Message], to rank: Int, tag: MessageTag, then: (@Sendable () -> Void)? = nil
    ) -> Pending {
        add(messages, .send, rank, tag, then)
    }

    /// Starts to receive the next message of a rank that has this tag, which may be shorter than the memory for it.
    @discardableResult
    package func receive(
        _ message: Message, from rank: Int, tag: MessageTag, then: (@Sendable () -> Void)? = nil
    ) -> Pending {
        add([message], .receive, rank, tag, then)
    }

    /// The same for several messages of one tag.
    @discardableResult
    package func receive(
        _ messages: [Message], from rank: Int, tag: MessageTag, then: (@Sendable () -> Void)? = nil
    ) -> Pending {
        add(messages, .receive, rank, tag, then)
    }

    private func add(
        _ messages: [Message], _ direction: CommunicatorRequest.Direction, _ rank: Int, _ tag: MessageTag,
        _ then: (@Sendable () -> Void)?
    ) -> Pending {
        precondition(rank != self.rank && rank < ranks, "a message for rank \(rank)")
        let parts = messages.flatMap { $0.parts() }
        let pending = Pending(parts.count, then)
        queue.change {
            $0.requests += parts.map {
                CommunicatorRequest(message: $0, direction: direction, rank: rank, tag: tag.number, pending: pending)
            }
        }
        return pending
    }

    /// Waits until a message has moved.
    ///
    /// - Throws: what has made that impossible.
    package func wait(for pending: Pending) throws(ClusterError) {
        if pending.isDone { return }
        queue.change { $0.waiting += 1 }
        defer { queue.change { $0.waiting -= 1 } }
        let failure: ClusterError? = progress.wait { progress -> ClusterError?? in
            if pending.isDone { return .some(nil) }
            return progress.failure.map { .some($0) }
        }!
        if let failure { throw failure }
    }

    /// Waits until messages have become impossible, and returns why; nil once this rank has left.
    package func waitForFailure() -> ClusterError? {
        progress.wait { progress -> ClusterError?? in
            if let failure = progress.failure { return .some(failure) }
            return progress.hasEnded ? .some(nil) : nil
        }!
    }

    /// What has made messages impossible.
    package var failure: ClusterError? { progress.read { $0.failure } }

    // MARK: The end

    /// Leaves the launch. All ranks must do so, and no message may be on its way.
    ///
    /// - Returns: false if it took too long, or another rank has failed.
    package func leave(within seconds: Double = 30) -> Bool { end(.leave, within: seconds) && failure == nil }

    /// Ends the processes of all ranks, this one included where a launcher can.
    package func abort(_ code: Int32) { _ = end(.abort(code), within: 5) }

    private func end(_ ending: CommunicatorQueue.Ending, within seconds: Double) -> Bool {
        queue.change { if $0.ending == nil { $0.ending = ending } }
        return progress.wait(atMost: seconds) { $0.hasEnded ? true : nil } ?? false
    }
}

/// What a message is for: ranks receive messages of one tag in the order in which they were sent.
package enum MessageTag: Sendable {
    case alive, command, payload, reply
    /// Of a block of the gradient: its sum so far, and its complete sum.
    case partial(Int)
    case complete(Int)

    var number: Int {
        switch self {
        case .alive: 0
        case .command: 1
        case .payload: 2
        case .reply: 3
        case .partial(let block): 4 + 2 * block
        case .complete(let block): 5 + 2 * block
        }
    }
}

/// Messages on their way.
package final class Pending: Sendable {
    private let left: Atomic<Int>
    private let done = Atomic(false)
    private let then: (@Sendable () -> Void)?

    init(_ messages: Int, _ then: (@Sendable () -> Void)?) {
        left = Atomic(messages)
        self.then = then
    }

    package var isDone: Bool { done.load(ordering: .acquiring) }

    /// Counts a message that has moved.
    func complete() {
        guard left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 else { return }
        // Who has waited finds what follows under way.
        then?()
        done.store(true, ordering: .releasing)
    }
}

/// A message that is to be moved.
struct CommunicatorRequest: Sendable {
    enum Direction { case send, receive }

    var message: Message
    var direction: Direction
    var rank: Int
    var tag: Int
    var pending: Pending
}

/// What a communicator's thread is asked to do.
struct CommunicatorQueue: Sendable {
    enum Ending: Sendable, Equatable {
        case leave
        case abort(Int32)
    }

    var requests: [CommunicatorRequest] = []
    /// How many threads wait for a message.
    var waiting = 0
    var ending: Ending?
    var joined: Result<(rank: Int, ranks: Int, name: String), ClusterError>?
}

/// What a communicator's thread has come to.
struct CommunicatorProgress: Sendable {
    var failure: ClusterError?
    var hasEnded = false
}
