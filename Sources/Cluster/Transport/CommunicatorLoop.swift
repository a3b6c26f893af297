import Concurrency
import Glibc
import LinearAlgebra

/// Seconds on a monotonic clock.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// What a communicator's thread does, until it is told to end.
struct CommunicatorLoop {
    private var transport: any Transport
    private let queue: Monitor<CommunicatorQueue>
    private let progress: Monitor<CommunicatorProgress>
    private let patience: Double
    private let signal: @Sendable () -> Int32
    private let onSignal: @Sendable (Int32) -> Void
    /// Operations that have been started, by number.
    private var active: [Int: CommunicatorRequest] = [:]
    private var hasFailed = false
    private var lastProgress = now()
    private var lastRound = now()

    // MARK: Signs of life

    private var interval: Double { min(1, patience / 4) }
    /// The ranks that this one watches and tells that it lives.
    private let watched: [Int]
    private var lastHeard: [Int: Double] = [:]
    private var lastTold = 0.0
    /// The operations that move them, by number.
    private var signs: [Int: (rank: Int, isReceived: Bool, memory: Matrix<Int32>)] = [:]
    /// The ranks to which one is still on its way.
    private var telling: Set<Int> = []

    init(
        _ transport: any Transport, _ queue: Monitor<CommunicatorQueue>, _ progress: Monitor<CommunicatorProgress>,
        patience: Double, signal: @escaping @Sendable () -> Int32, onSignal: @escaping @Sendable (Int32) -> Void
    ) {
        self.transport = transport
        (self.queue, self.progress) = (queue, progress)
        (self.patience, self.signal, self.onSignal) = (patience, signal, onSignal)
        watched = transport.rank == 0 ? Array(1..<max(1, transport.ranks)) : [0]
        for rank in watched { lastHeard[rank] = now() }
    }

    mutating func run() {
        do throws(ClusterError) { for rank in watched { try listen(to: rank) } } catch { fail(error) }
        while true {
            let work = queue.change { queue in
                defer { queue.requests = [] }
                return (queue.requests, queue.ending, queue.waiting > 0)
            }
            if !hasFailed {
                do throws(ClusterError) { try round(work.0) } catch { fail(error) }
            }
            if let ending = work.1, hasFailed || active.isEmpty || ending != .leave {
                return end(ending)
            }
            pause(isAwaited: work.2)
        }
    }

    private mutating func round(_ requests: [CommunicatorRequest]) throws(ClusterError) {
        for request in requests { try start(request) }
        let completed = try transport.completed()
        if !requests.isEmpty || !completed.isEmpty { lastProgress = now() }
        var isAwaited = false
        for operation in completed {
            if let request = active.removeValue(forKey: operation) {
                request.pending.complete()
                isAwaited = true
            } else {
                try take(operation)
            }
        }
        if isAwaited { progress.change { _ in } }
        try watch()
    }

    private mutating func start(_ request: CommunicatorRequest) throws(ClusterError) {
        let operation =
            switch request.direction {
            case .send: try transport.send(request.message, to: request.rank, tag: request.tag)
            case .receive: try transport.receive(request.message, from: request.rank, tag: request.tag)
            }
        active[operation] = request
    }

    private mutating func fail(_ error: ClusterError) {
        hasFailed = true
        progress.change { $0.failure = $0.failure ?? error }
    }

    private mutating func end(_ ending: CommunicatorQueue.Ending) {
        switch ending {
        case .leave where !hasFailed:
            do throws(ClusterError) { try transport.finish() } catch { fail(error) }
        case .leave: break
        case .abort(let code): transport.abort(code)
        }
        progress.change { $0.hasEnded = true }
    }

    /// Waits for work, or until it is time to look at the messages again: soon if a thread waits for one; otherwise each look
    /// takes time from threads that calculate. The longer nothing moves, the longer is the next wait.
    private func pause(isAwaited: Bool) {
        let idle = now() - lastProgress
        let seconds =
            active.isEmpty ? 0.02 : isAwaited ? min(5e-4, max(1e-5, idle / 8)) : min(2e-3, max(2e-4, idle / 4))
        _ = queue.wait(atMost: seconds) { [isIdle = active.isEmpty] queue in
            let isCalled = !queue.requests.isEmpty || (queue.ending != nil && isIdle)
            return isCalled || (queue.waiting > 0) != isAwaited ? true : nil
        }
    }

    // MARK: Signs of life

    private mutating func listen(to rank: Int) throws(ClusterError) {
        let memory = Matrix<Int32>(rows: 1, columns: 1)
        let operation = try transport.receive(Message(memory), from: rank, tag: MessageTag.alive.number)
        signs[operation] = (rank, true, memory)
    }

    /// A sign of life has been sent or received.
    private mutating func take(_ operation: Int) throws(ClusterError) {
        guard let sign = signs.removeValue(forKey: operation) else { return }
        guard sign.isReceived else {
            telling.remove(sign.rank)
            return
        }
        lastHeard[sign.rank] = now()
        let number = sign.memory.elements[0]
        if number > 0 { onSignal(number) }
        try listen(to: sign.rank)
    }

    private mutating func watch() throws(ClusterError) {
        let time = now()
        // A machine that slept did not listen either.
        let gap = time - lastRound
        lastRound = time
        if gap > 2 { for rank in watched { lastHeard[rank] = min(time, lastHeard[rank]! + gap) } }
        if time - lastTold >= interval {
            lastTold = time
            for rank in watched where telling.insert(rank).inserted {
                let memory = Matrix(rows: 1, columns: 1, [signal()])
                let operation = try transport.send(Message(memory), to: rank, tag: MessageTag.alive.number)
                signs[operation] = (rank, false, memory)
            }
        }
        if let rank = watched.first(where: { time - lastHeard[$0]! > patience }) {
            throw .silent(rank: rank, seconds: Int(patience))
        }
    }
}
