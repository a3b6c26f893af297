import RecurrentNetwork

/// The path of one lane through a text.
package struct Lane: Sendable, Equatable {
    /// The position read at the first step; negative while a lane waits for the text to begin.
    package var origin: Int
    /// The positions that are scored.
    package var scored: Range<Int>
    /// Whether the state is reset at the lane's first scored symbol, wherever that is in the text.
    package var startsFresh: Bool
    /// The first step whose input n-grams may contain; negative for a lane whose state comes from before its origin.
    package var firstInput = 0

    package init(origin: Int, scored: Range<Int>, startsFresh: Bool) {
        self.origin = origin
        self.scored = scored
        self.startsFresh = startsFresh
    }
}

extension LaneWindow {
    /// Sets the inputs, targets and resets of a window: `steps` steps from step `first` of the given lanes.
    ///
    /// - Parameters:
    ///   - replaces: which ids are replaced by unknown, as input and as target.
    ///   - begins: whether a lane, given its index and the previous symbol, is reset at the first step.
    /// - Returns: the number of symbols predicted.
    package func fill(
        _ lanes: some Collection<Lane>, of text: EncodedText, first: Int, steps: Int,
        replaces: (Int32) -> Bool = { _ in false },
        begins: (_ lane: Int, _ before: Int32) -> Bool = { _, _ in false }
    ) -> Int {
        precondition(lanes.count == self.lanes, "\(lanes.count) lanes in a window of \(self.lanes)")
        return fill(lanes, from: 0, of: text, first: first, steps: steps, replaces: replaces, begins: begins)
    }

    /// The same for some of the window's lanes, starting at an offset.
    package func fill(
        _ lanes: some Collection<Lane>, from offset: Int, of text: EncodedText, first: Int, steps: Int,
        replaces: (Int32) -> Bool, begins: (_ lane: Int, _ before: Int32) -> Bool
    ) -> Int {
        precondition(
            offset + lanes.count <= self.lanes, "\(offset) + \(lanes.count) lanes in a window of \(self.lanes)")
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: steps + 1) { symbols in
            lanes.enumerated().reduce(0) { predicted, lane in
                predicted
                    + fill(
                        lane: offset + lane.offset, lane.element, of: text, first: first, steps: steps,
                        symbols: symbols.baseAddress!, replaces: replaces,
                        begins: { begins(lane.offset, $0) })
            }
        }
    }

    /// Sets one lane of a window.
    private func fill(
        lane index: Int, _ lane: Lane, of text: EncodedText, first: Int, steps: Int,
        symbols: UnsafeMutablePointer<Int32>, replaces: (Int32) -> Bool, begins: (_ before: Int32) -> Bool
    ) -> Int {
        precondition(index < lanes && steps <= capacity, "\(steps) steps of \(capacity)")
        let (ids, targets, resets) = (self.ids.view, self.targets.view, self.resets.view)
        var predicted = 0
        let begin = lane.origin + first
        readBefore(lane, first: first, into: index, of: text, replaces: replaces)
        // The symbols of the steps that are within the text, and the one before them.
        let window = (begin - 1..<begin + steps).clamped(to: 0..<text.count)
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
                || (step == 0 && before.map(begins) ?? false)
            resets.base[at] = isFresh ? 1 : 0
            ids.base[at] = isFresh ? text.boundary : before.map(id) ?? text.boundary
            let isScored = lane.scored.contains(position)
            targets.base[at] = isScored ? id(symbols[position - window.lowerBound]) : -1
            if isScored { predicted += 1 }
        }
        return predicted
    }

    /// Sets the inputs before the first step of one lane, back to where the text says that the state is reset. The random resets of
    /// earlier windows are not known here; they would matter only in windows shorter than n-grams.
    private func readBefore(
        _ lane: Lane, first: Int, into index: Int, of text: EncodedText, replaces: (Int32) -> Bool
    ) {
        let count = min(before.view.rows, first - lane.firstInput)
        for row in 0..<before.view.rows { before.view[row, index] = -1 }
        guard count > 0 else { return }
        let begin = lane.origin + first
        // The position of the input of step `first - 1 - row` is that of the symbol before it.
        for row in 0..<count {
            let position = begin - 1 - row
            let isFresh = text.isFresh(position) || (lane.startsFresh && position == lane.scored.lowerBound)
            let symbol = isFresh ? nil : text.symbol(at: position - 1)
            let id = symbol.map { text.id(ofSymbol: $0) } ?? text.boundary
            before.view[row, index] = replaces(id) && symbol != nil ? text.unknown : id
            if isFresh { break }
        }
    }
}
