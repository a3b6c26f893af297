import Dispatch
import Synchronization

/// A number of threads that share lists of tasks.
///
/// Which thread runs a task is left to chance; what the task computes is not, so tasks must write to places of their own.
package struct Workers: Sendable {
    package let count: Int

    package init(count: Int) {
        precondition(count >= 1, "\(count) threads")
        self.count = count
    }

    /// Runs `body` for every index below `tasks` and returns when all are done.
    package func forEach(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
        guard count > 1 && tasks > 1 else {
            for task in 0..<tasks { body(task) }
            return
        }
        let next = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: min(count, tasks)) { _ in
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < tasks else { return }
                body(task)
            }
        }
    }

    /// Cuts `0..<length` into pieces of `size` (the last may be shorter) and runs `body` for each.
    package func forEachPiece(of length: Int, size: Int, _ body: @Sendable (Range<Int>) -> Void) {
        forEach((length + size - 1) / size) { piece in body(piece * size..<min(length, (piece + 1) * size)) }
    }
}
