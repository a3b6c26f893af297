import Concurrency
import RecurrentNetwork
import Synchronization
import Tokenization

/// How much a model gains from looking further back: the mean nats per symbol when it may see only the last k symbols.
///
/// A network's state is zero, then the last k symbols are read. With k = 0 the boundary alone is read; a context that reaches the
/// start of the text, or of its record, begins with the boundary.
public struct MemoryCurve: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
        /// k; nil: everything before the symbol.
        public var context: Int?
        /// Nats per symbol, the spelling of unknown symbols included.
        public var nats: MeanEstimate
    }

    /// By increasing context; the last is unlimited. All are means over the same positions.
    public var points: [Point]
    /// The number of positions.
    public var positions: Int
}

extension LanguageModel {
    /// Measures how far back a model looks.
    ///
    /// - Parameters:
    ///   - corpus: as the model reads it.
    ///   - contexts: how many symbols may be seen, in increasing order.
    ///   - count: how many symbols are predicted, spread over the text; of a shorter text all.
    ///   - threads: does not affect the result; nil: one per core.
    ///   - progress: called now and then with the part that is done, from 0 to 1.
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func memory(
        of corpus: Corpus, contexts: [Int] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
        positions count: Int = 2_000, threads: Int? = nil, progress: (Double) -> Void = { _ in }
    ) throws(EvaluationError) -> MemoryCurve {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let workers = Workers(count: max(1, threads ?? Workers.cores))
        let chosen = spread(count, of: 0..<text.count)
        var spelling = [Double](repeating: 0, count: chosen.count)
        var unlimited = [Double](repeating: 0, count: chosen.count)
        // How many symbols of its text or record are before each position.
        let ages = text.ages(at: chosen)
        var next = 0
        let work = Double(text.count + chosen.count * contexts.reduce(0) { $0 + max(0, $1) + 1 })
        var done = 0.0
        _ = network.scoreExactly(text, mixing: mixture, using: workers) { score in
            let position = score.position
            if position & 0xFFF == 0 { progress(Double(position) / work) }
            guard next < chosen.count, position == chosen[next] else { return }
            (unlimited[next], spelling[next]) = (score.nats, text.spelling(ofSymbol: score.symbol))
            next += 1
        }
        done = Double(text.count)
        var points = contexts.map { context in
            // What is seen whole needs no second reading.
            var nats = unlimited
            let cut = chosen.indices.filter { ages[$0] > context || context < 1 }
            for few in stride(from: 0, to: cut.count, by: 256).map({ cut[$0..<min($0 + 256, cut.count)] }) {
                progress(done / work)
                done += Double(few.count * (context + 1))
                let found = network.nats(
                    of: text, at: few.map { chosen[$0] }, context: context, mixing: mixture, using: workers)
                for (index, value) in zip(few, found) { nats[index] = value + spelling[index] }
            }
            return MemoryCurve.Point(context: context, nats: MeanEstimate(nats))
        }
        points.append(MemoryCurve.Point(context: nil, nats: MeanEstimate(unlimited)))
        return MemoryCurve(points: points, positions: chosen.count)
    }
}

extension EncodedText {
    /// How many symbols of the same text or record are before each of some positions, which are in order.
    fileprivate func ages(at positions: [Int]) -> [Int] {
        var (ages, start) = ([Int](), 0)
        forEachTarget { position, _, isFresh in
            if isFresh { start = position }
            if ages.count < positions.count && position == positions[ages.count] { ages.append(position - start) }
        }
        return ages
    }
}

extension Network<Float> {
    /// -ln p of the symbols at some positions, each given the last symbols before it only.
    fileprivate func nats(
        of text: EncodedText, at positions: [Int], context: Int, mixing mixture: CountMixture?,
        using workers: Workers
    ) -> [Double] {
        let groups = stride(from: 0, to: positions.count, by: 16).map { $0..<min($0 + 16, positions.count) }
        let found = Mutex([Double](repeating: 0, count: positions.count))
        let (length, window) = (max(0, context) + 1, min(64, max(1, context)))
        workers.forEach(groups.count) { index in
            let group = groups[index]
            var lanes = positions[group].map { position in
                Lane(origin: position + 1 - length, scored: position..<position + 1, startsFresh: context == 0)
            }
            let shard = Shard<Float>(model, lanes: lanes.count, steps: window, learns: false)
            let mixer = mixture.map { CountMixer($0, lanes: lanes.count) }
            if context > 0 { readBoundaries(&lanes, of: text, shard, mixer) }
            for first in stride(from: context > 0 ? 1 : 0, to: length, by: window) {
                let steps = min(window, length - first)
                _ = shard.input.fill(lanes, of: text, first: first, steps: steps)
                shard.forward(self, steps: steps)
                mixer?.mix(into: shard, steps: steps)
                guard first + steps == length else {
                    shard.advance(steps: steps)
                    continue
                }
                _ = shard.loss(steps: steps, scale: 1)
                let row = (steps - 1) * lanes.count
                found.withLock { found in
                    for lane in 0..<lanes.count { found[group.lowerBound + lane] = shard.losses.view[0, row + lane] }
                }
            }
        }
        return found.withLock { $0 }
    }

    /// Reads the boundary in those lanes at whose origin a text or a record begins; the state of the others stays zero.
    private func readBoundaries(
        _ lanes: inout [Lane], of text: EncodedText, _ shard: Shard<Float>, _ mixer: CountMixer?
    ) {
        _ = shard.input.fill(lanes, of: text, first: 0, steps: 1)
        shard.forward(self, steps: 1)
        shard.advance(steps: 1)
        let fresh = Set(shard.input.resets(1).map(\.lane))
        for lane in lanes.indices where !fresh.contains(lane) { lanes[lane].firstInput = 1 }
        for lane in fresh { mixer?.read(text.boundary, lane: lane) }
        var state = shard.state
        for index in state.values.indices {
            for layer in state.values[index].indices {
                for lane in lanes.indices where !fresh.contains(lane) {
                    let part = lane * model.hidden..<(lane + 1) * model.hidden
                    state.values[index][layer].replaceSubrange(part, with: repeatElement(0, count: part.count))
                }
            }
        }
        shard.state = state
    }
}
