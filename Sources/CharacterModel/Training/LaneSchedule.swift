import LinearAlgebra

/// How a training text is cut into lanes and windows.
///
/// B contiguous lanes cover the text, the first ones a symbol longer where it does not divide evenly. An epoch has as
/// few windows of T steps as the longest lane needs. Their borders move by up to a quarter of a window at random, in each epoch
/// otherwise, so that gradients are not cut at the same places again and again (Merity, Keskar & Socher 2018), and no step of
/// the optimizer rests on a handful of symbols. Each symbol is a target once in an epoch.
package struct LaneSchedule: Sendable, Equatable {
    package let lanes: [Lane]
    package let windows: Int
    private let length: Int
    /// nil where windows end at the same places in every epoch.
    private let seed: UInt64?

    /// - Parameters:
    ///   - startsFresh: whether a lane's first input is the boundary; with records, that is for their beginnings.
    ///   - seed: names where windows end; nil for windows that are alike.
    /// - Requires: a text of at least as many symbols as lanes.
    package init(symbols: Int, batch: Int, window: Int, startsFresh: Bool = true, seed: UInt64? = 1) {
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
        self.seed = seed
    }

    /// The steps of the longest window where T are asked for.
    package static func longest(_ window: Int) -> Int { window + 2 * (window / 4) }

    /// The steps of a window of an epoch, counted from the lanes' beginnings.
    package func steps(ofWindow window: Int, epoch: Int) -> Range<Int> {
        border(before: window, epoch: epoch)..<border(before: window + 1, epoch: epoch)
    }

    private func border(before window: Int, epoch: Int) -> Int {
        let even = window * length / windows
        guard let seed, window > 0 && window < windows else { return even }
        var generator = SplitMix64(seed: seed, stream: Stream.windows, UInt64(epoch), UInt64(window))
        return even + Int((2 * generator.uniform() - 1) * Double(length / windows / 4))
    }

    /// The targets of a window of an epoch, over all lanes.
    package func symbols(ofWindow window: Int, epoch: Int) -> Int {
        let steps = steps(ofWindow: window, epoch: epoch)
        return lanes.reduce(0) { $0 + min(steps.upperBound, $1.scored.count) - min(steps.lowerBound, $1.scored.count) }
    }

    /// How many lanes fit: each needs at least a window's worth of symbols.
    package static func batch(_ wanted: Int, symbols: Int, window: Int) -> Int { max(1, min(wanted, symbols / window)) }
}
