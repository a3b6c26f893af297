import CommandSupport
import Synchronization

/// Writes samples that are generated in parallel one after the other: the first as it is generated, the others when it
/// is done.
final class SampleOutput: Sendable {
    private struct State {
        var waiting: [String] = []
        /// Whether the first of these has written something, and whether any sample has.
        var hasBegun = false
        var hasWritten = false
    }

    private let separator: String
    private let state = Mutex(State())

    /// - Parameter separator: written between two samples.
    init(separator: String) { self.separator = separator }

    /// Starts a new batch of samples.
    func begin(_ count: Int) {
        state.withLock {
            $0.waiting = [String](repeating: "", count: count)
            $0.hasBegun = false
        }
    }

    /// Adds text to one of the samples.
    func add(_ part: String, of index: Int) throws {
        guard !part.isEmpty else { return }
        guard index == 0 else { return state.withLock { $0.waiting[index] += part } }
        let isFirst = state.withLock { state in
            defer { (state.hasBegun, state.hasWritten) = (true, true) }
            return state.hasBegun || !state.hasWritten
        }
        try StandardOutput.write(isFirst ? part : separator + part)
    }

    /// Writes the samples that were waiting.
    func finish() throws {
        let parts = state.withLock { state in
            state.waiting.filter { !$0.isEmpty }.map { part in
                defer { state.hasWritten = true }
                return state.hasWritten ? separator + part : part
            }
        }
        for part in parts { try StandardOutput.write(part) }
    }
}
