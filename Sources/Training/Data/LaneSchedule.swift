import CharacterModel

/// How a training text is cut into lanes and windows.
///
/// B contiguous lanes cover the text, the first ones a symbol longer if it does not divide evenly. An epoch has as few
/// windows of at most T steps as the longest lane needs. Their lengths differ by at most one, so that no optimizer step
/// uses only a handful of symbols. Each symbol is a target once per epoch.
package struct LaneSchedule: Sendable, Equatable {
    package let lanes: [Lane]
    package let windows: Int
    private let length: Int

    /// - Parameter startsFresh: whether a lane's first input is the boundary; with records, only their beginnings have
    ///   that.
    /// - Requires: at least as many symbols as lanes.
    package init(symbols: Int, batch: Int, window: Int, startsFresh: Bool = true) {
        precondition(batch >= 1 && symbols >= batch && window >= 1, "\(symbols) symbols in \(batch) lanes")
        let (whole, longer) = (symbols / batch, symbols % batch)
        var position = 0
        lanes = (0..<batch).map { lane in
            let range = position..<position + whole + (lane < longer ? 1 : 0)
            position = range.upperBound
            return Lane(origin: range.lowerBound, scored: range, startsFresh: startsFresh)
        }
        length = whole + (longer > 0 ? 1 : 0)
        windows = (length + window - 1) / window
    }

    /// The steps of a window of an epoch, counted from the lanes' beginnings.
    package func steps(ofWindow window: Int) -> Range<Int> {
        window * length / windows..<(window + 1) * length / windows
    }

    /// The targets of a window of an epoch, over all lanes.
    package func symbols(ofWindow window: Int) -> Int {
        let steps = steps(ofWindow: window)
        return lanes.reduce(0) { $0 + min(steps.upperBound, $1.scored.count) - min(steps.lowerBound, $1.scored.count) }
    }

    /// How many lanes fit: each needs at least a window's worth of symbols.
    package static func batch(_ wanted: Int, symbols: Int, window: Int) -> Int { max(1, min(wanted, symbols / window)) }
}
