import LinearAlgebra

/// What some lanes read and are to predict in a window: numbers, whatever text they stand for.
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

    package init(lanes: Int, steps: Int, from memory: MemoryLedger = MemoryLedger()) {
        self.lanes = lanes
        capacity = steps
        ids = memory.matrix(1, steps * lanes)
        targets = memory.matrix(1, steps * lanes)
        resets = memory.matrix(1, steps * lanes)
    }

    /// Takes over some lanes of another window.
    func copy(_ range: Range<Int>, of other: LaneWindow, steps: Int) {
        precondition(range.count == lanes, "\(range.count) lanes for \(lanes)")
        for step in 0..<steps {
            let (here, there) = (
                step * lanes..<(step + 1) * lanes,
                step * other.lanes + range.lowerBound..<step * other.lanes + range.upperBound
            )
            ids.view.columns(here).copy(other.ids.view.columns(there))
            targets.view.columns(here).copy(other.targets.view.columns(there))
            resets.view.columns(here).copy(other.resets.view.columns(there))
        }
    }

    /// Where lanes begin a text, in the first steps.
    package func resets(_ steps: Int) -> [Reset] {
        let flags = resets.view.columns(0..<steps * lanes)
        var found: [Reset] = []
        for at in 0..<flags.columns where flags[0, at] != 0 {
            found.append(Reset(step: at / lanes, lane: at % lanes))
        }
        return found
    }

    /// Makes lanes begin a text at some places, and nowhere else.
    package func setResets(_ resets: [Reset]) {
        self.resets.view.clear()
        for reset in resets { self.resets.view[0, reset.step * lanes + reset.lane] = 1 }
    }
}
