import LinearAlgebra

/// The inputs and targets of some lanes in a window: only numbers, independent of the text.
package final class LaneWindow: Sendable {
    package let lanes: Int
    /// T, at most.
    package let capacity: Int
    /// [1, T B]: the input of each step and lane; step t's lanes follow those of step t - 1.
    package let ids: Matrix<Int32>
    /// [1, T B]: the symbol that follows; negative where nothing is predicted.
    package let targets: Matrix<Int32>
    /// [1, T B]: 1 where a lane begins a text: its state is zero before that step.
    package let resets: Matrix<UInt8>
    /// [N - 1, B]: for embeddings of n-grams, the inputs before the first step, the last one first; negative where there is none.
    package let before: Matrix<Int32>

    /// - Parameter ngrams: N: the length of the longest n-grams that are embedded.
    package init(lanes: Int, steps: Int, ngrams: Int = 0, from memory: MemoryLedger = MemoryLedger()) {
        self.lanes = lanes
        capacity = steps
        ids = memory.matrix(1, steps * lanes)
        targets = memory.matrix(1, steps * lanes)
        resets = memory.matrix(1, steps * lanes)
        before = memory.matrix(max(0, ngrams - 1), lanes)
        before.view.fill(-1)
    }

    /// Copies some lanes of another window.
    package func copy(_ range: Range<Int>, of other: LaneWindow, steps: Int) {
        precondition(range.count == lanes, "\(range.count) lanes for \(lanes)")
        precondition(
            range.lowerBound >= 0 && range.upperBound <= other.lanes && steps <= min(capacity, other.capacity),
            "lanes \(range) of \(other.lanes), \(steps) steps")
        precondition(before.view.rows == other.before.view.rows, "windows of n-grams of different lengths")
        for row in 0..<before.view.rows {
            for lane in 0..<lanes { before.view[row, lane] = other.before.view[row, range.lowerBound + lane] }
        }
        for step in 0..<steps {
            for lane in 0..<lanes {
                let (here, there) = (step * lanes + lane, step * other.lanes + range.lowerBound + lane)
                ids.view.base[here] = other.ids.view.base[there]
                targets.view.base[here] = other.targets.view.base[there]
                resets.view.base[here] = other.resets.view.base[there]
            }
        }
    }

    /// Where lanes begin a text, in the first steps.
    package func resets(_ steps: Int) -> [Reset] {
        precondition(steps <= capacity, "\(steps) steps of \(capacity)")
        let flags = resets.view.base
        var found: [Reset] = []
        for at in 0..<steps * lanes where flags[at] != 0 {
            found.append(Reset(step: at / lanes, lane: at % lanes))
        }
        return found
    }

    /// Sets what n-grams contain of the inputs before the first step of a lane.
    ///
    /// - Parameter ids: the last one first.
    package func setBefore(_ ids: [Int], lane: Int) {
        for row in 0..<before.view.rows { before.view[row, lane] = row < ids.count ? Int32(ids[row]) : -1 }
    }

    /// Marks the places where lanes begin a text, and clears all others.
    package func setResets(_ resets: [Reset]) {
        self.resets.view.clear()
        for reset in resets { self.resets.view[0, reset.step * lanes + reset.lane] = 1 }
    }
}
