/// One lane's way through a text.
package struct Lane: Sendable, Equatable {
    /// The position read at the first step; negative while a lane waits for the text to begin.
    package var origin: Int
    /// The positions that are predicted and counted.
    package var scored: Range<Int>
    /// Whether the lane's first scored symbol starts afresh, wherever the text has it.
    package var startsFresh: Bool

    package init(origin: Int, scored: Range<Int>, startsFresh: Bool) {
        self.origin = origin
        self.scored = scored
        self.startsFresh = startsFresh
    }
}

extension Shard {
    /// Sets the inputs, targets and resets of a window: `steps` steps from step `first` of the given lanes.
    ///
    /// - Parameters:
    ///   - replaces: which ids are read and predicted as unknown.
    ///   - begins: whether a lane, given its index and the symbol before, starts afresh at the first step.
    /// - Returns: how many symbols are predicted.
    package func fill(
        _ lanes: some Collection<Lane>, of text: EncodedText, first: Int, steps: Int,
        replaces: (Int32) -> Bool = { _ in false },
        begins: (_ lane: Int, _ before: Int32) -> Bool = { _, _ in false }
    ) -> Int {
        precondition(lanes.count == self.lanes, "\(lanes.count) lanes in a shard of \(self.lanes)")
        var predicted = 0
        resets.removeAll(keepingCapacity: true)
        for (index, lane) in lanes.enumerated() {
            let begin = lane.origin + first
            // The symbols of the steps that lie in the text, and the one before them.
            let window = (begin - 1..<begin + steps).clamped(to: 0..<text.count)
            let symbols = self.symbols.view.base
            text.read(window, into: symbols)
            func id(_ symbol: Int32) -> Int32 {
                let id = text.id(ofSymbol: symbol)
                return replaces(id) ? text.unknown : id
            }
            var next = text.beginnings.partitioningIndex { $0 >= begin }
            for step in 0..<steps {
                let (position, at) = (begin + step, step * self.lanes + index)
                let before = window.contains(position - 1) ? symbols[position - 1 - window.lowerBound] : nil
                let isBeginning = next < text.beginnings.count && text.beginnings[next] == position
                if isBeginning { next += 1 }
                let isFresh =
                    isBeginning || (lane.startsFresh && position == lane.scored.lowerBound)
                    || (position < text.count && before.map { text.restarts(afterSymbol: $0) } ?? false)
                    || (step == 0 && before.map { begins(index, $0) } ?? false)
                if isFresh { resets.append(Reset(step: step, lane: index)) }
                ids.view[0, at] = isFresh ? text.boundary : before.map(id) ?? text.boundary
                let isScored = lane.scored.contains(position)
                targets.view[0, at] = isScored ? id(symbols[position - window.lowerBound]) : -1
                if isScored { predicted += 1 }
            }
        }
        return predicted
    }
}
