import Cluster
import Concurrency
import LinearAlgebra
import RecurrentNetwork

extension Network {
    /// The nats of a text, each symbol scored once with context, in parallel lanes.
    ///
    /// Each lane is warmed up on the symbols before its part. The result is close to
    /// ``scoreExactly(_:mixing:using:predicts:on:isCancelled:_:)``, and much faster.
    ///
    /// - Parameters:
    ///   - mixture: counts to mix with the network.
    ///   - isCancelled: polled regularly; returning true stops the work.
    /// - Returns: total nats, including the spelling of unknown symbols; nil if cancelled.
    package func scoreInLanes(
        _ text: EncodedText, mixing mixture: CountMixture? = nil, using workers: Workers,
        isCancelled: @Sendable () -> Bool = { false }
    ) -> Double? {
        let (warmup, window) = (256, 64)
        guard text.count > 0 else { return 0 }
        let lanes = max(1, min(64, text.count / (2 * warmup)))
        let length = (text.count + lanes - 1) / lanes
        let all = stride(from: 0, to: text.count, by: length).map { first in
            Lane(origin: first - warmup, scored: first..<min(first + length, text.count), startsFresh: false)
        }
        let shards = stride(from: 0, to: all.count, by: 8).map { all[$0..<min($0 + 8, all.count)] }
        let sums = Matrix<Double>(rows: 1, columns: shards.count)
        workers.forEach(shards.count) { index in
            let shard = Shard<Scalar>(model, lanes: shards[index].count, steps: window, learns: false)
            let mixer = mixture.map { CountMixer($0, lanes: shards[index].count) }
            for first in stride(from: 0, to: warmup + length, by: window) where !isCancelled() {
                let steps = min(window, warmup + length - first)
                _ = shard.input.fill(shards[index], of: text, first: first, steps: steps)
                shard.forward(self, steps: steps)
                mixer?.mix(into: shard, steps: steps)
                sums.view[0, index] += shard.loss(steps: steps, scale: 1)
                shard.advance(steps: steps)
            }
        }
        return isCancelled() ? nil : sums.elements.reduce(text.spellingNats, +)
    }

    /// The nats of each symbol of a text, read in one lane from its boundary to its end.
    ///
    /// Parts of the text between state resets are independent, so threads score them in parallel if there are enough of
    /// them. Otherwise threads share the layers, one part after the other. The nats are bit-identical either way.
    ///
    /// - Parameters:
    ///   - mixture: counts to mix with the network.
    ///   - cluster: the ranks that share the parts, all of which run this; `body` is called on rank 0 only.
    ///   - predicts: whether to compute predictions too, which takes more time.
    ///   - isCancelled: polled regularly; returning true stops the work.
    ///   - body: called with the score of each symbol, in order.
    /// - Returns: false if it was cancelled, or another rank failed.
    package func scoreExactly(
        _ text: EncodedText, mixing mixture: CountMixture? = nil, using workers: Workers, predicts: Bool = false,
        on cluster: Cluster? = nil, isCancelled: @Sendable () -> Bool = { false }, _ body: (SymbolScore) -> Void
    ) -> Bool {
        let mixes = mixture != nil
        func tell(_ range: Range<Int>, _ scores: SymbolScores) {
            text.forEachSymbol(in: range) { position, symbol in
                let at = position - range.lowerBound
                let spelling = text.spelling(ofSymbol: symbol)
                body(
                    SymbolScore(
                        position: position, symbol: symbol, nats: scores.nats.view[0, at] + spelling,
                        networkNats: mixes ? scores.parts.view[0, at] + spelling : nil,
                        countsNats: mixes ? scores.parts.view[1, at] + spelling : nil,
                        prediction: predicts ? scores.predictions.view[0, at] : nil))
            }
        }
        return withoutActuallyEscaping(isCancelled) { isCancelled in
            let scorer = PartScorer(
                network: self, text: text, mixture: mixture, workers: workers, predicts: predicts,
                isCancelled: isCancelled)
            return scorer.scoreAll(on: cluster, tell)
        }
    }
}

extension EncodedText {
    /// Calls `body` with the parts of the text that begin with a state reset. Neighbouring parts are joined until they
    /// are long enough.
    func forEachPart(ofAtLeast length: Int, _ body: (Range<Int>) -> Void) {
        var first = 0
        forEachTarget { position, _, isFresh in
            guard isFresh && position - first >= length else { return }
            body(first..<position)
            first = position
        }
        if first < count { body(first..<count) }
    }
}
