import Synchronization

/// A symbol of a text, or its end.
enum TextEvent: Sendable {
    case symbol(GeneratedSymbol)
    case end(EndReason)
}

/// A symbol that was read or generated.
struct GeneratedSymbol: Sendable {
    var id: Int
    var bytes: [UInt8]
    /// ln p; nil for the first symbol of a text that is echoed, as theirs.
    var logProbability: Double?
    /// The likeliest symbols in its place, if they were asked for.
    var likeliest: [(id: Int, logProbability: Double)] = []
}

enum EndReason: String, Sendable {
    /// A stop came, or the end of a record.
    case stop
    /// max_tokens was reached.
    case length
}

/// What a text has produced and its reader has not read.
final class SymbolQueue: Sendable {
    private struct State {
        var events: [TextEvent] = []
        var waiting: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    private let state = Mutex(State())
    private let limit: Int
    /// Called when a full queue has room again.
    private let onRoom: @Sendable () -> Void

    init(limit: Int, onRoom: @escaping @Sendable () -> Void) { (self.limit, self.onRoom) = (limit, onRoom) }

    var hasRoom: Bool { state.withLock { $0.events.count < limit } }

    func append(_ event: TextEvent) {
        let waiting = state.withLock { state in
            state.events.append(event)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Ends the wait of a reader that is no longer wanted.
    func close() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// All that has come since the last call; waits until there is something. Empty if the queue was closed.
    func next() async -> [TextEvent] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.events.isEmpty || state.isOver { return true }
                state.waiting = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        let (events, wasFull) = state.withLock { state in
            defer { state.events = [] }
            return (state.events, state.events.count >= limit)
        }
        if wasFull { onRoom() }
        return events
    }
}
