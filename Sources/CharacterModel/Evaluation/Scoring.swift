import LinearAlgebra

extension Network {
    /// The nats of a text, each symbol scored once and with context, in lanes that run side by side.
    ///
    /// Each lane is warmed up on the symbols before its part. Close to ``scoreExactly(_:perSymbol:)``, and much faster.
    ///
    /// - Returns: total nats, the spelling of unknown symbols included.
    package func scoreInLanes(_ text: EncodedText, using workers: Workers) -> Double {
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
            for first in stride(from: 0, to: warmup + length, by: window) {
                let steps = min(window, warmup + length - first)
                _ = shard.fill(shards[index], of: text, first: first, steps: steps)
                shard.forward(self, steps: steps)
                sums.view[0, index] += shard.loss(steps: steps, scale: 1)
                shard.advance(steps: steps)
            }
        }
        return sums.elements.reduce(text.spellingNats, +)
    }

    /// The nats of each symbol of a text, read in one lane from its boundary to its end.
    ///
    /// What stands between two of the text's starts depends on nothing else, so threads share such parts; a text with one
    /// start is read by one.
    ///
    /// - Parameter isCancelled: asked now and then; the answer yes ends the work.
    /// - Returns: nats, the spelling of unknown symbols included; nil if it was cancelled.
    package func scoreExactly(
        _ text: EncodedText, using workers: Workers, isCancelled: @Sendable () -> Bool = { false }
    ) -> [Double]? {
        let parts = parts(of: text)
        let nats = Matrix<Double>(rows: 1, columns: text.count)
        workers.forEach(parts.count) { index in
            let part = parts[index]
            let shard = Shard<Scalar>(model, lanes: 1, steps: min(256, part.count), learns: false)
            let lane = [Lane(origin: part.lowerBound, scored: part, startsFresh: false)]
            for first in stride(from: 0, to: part.count, by: shard.capacity) where !isCancelled() {
                let steps = min(shard.capacity, part.count - first)
                _ = shard.fill(lane, of: text, first: first, steps: steps)
                shard.forward(self, steps: steps)
                _ = shard.loss(steps: steps, scale: 1)
                for step in 0..<steps {
                    nats.view[0, part.lowerBound + first + step] = shard.losses.view[0, step]
                }
                shard.advance(steps: steps)
            }
        }
        for spelling in text.spellings { nats.view[0, spelling.position] += spelling.nats }
        return isCancelled() ? nil : nats.elements
    }

    /// A text cut at starts into parts that are worth a task each.
    private func parts(of text: EncodedText) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var first = 0
        for end in text.starts.dropFirst() + [text.count] where end == text.count || end - first >= 4_096 {
            if end > first { parts.append(first..<end) }
            first = end
        }
        return parts
    }
}
