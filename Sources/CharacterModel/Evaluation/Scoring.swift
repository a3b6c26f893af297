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
        return sums.view.elements.reduce(text.spellingNats, +)
    }

    /// The nats of a text in one lane, from its boundary to its end.
    ///
    /// - Parameters:
    ///   - state: carried from a text before; nil for a fresh one.
    ///   - perSymbol: receives each position and its nats, the spelling of an unknown symbol included, in order.
    /// - Returns: total nats.
    @discardableResult
    package func scoreExactly(_ text: EncodedText, perSymbol: (Int, Double) -> Void = { _, _ in }) -> Double {
        let window = 256
        let shard = Shard<Scalar>(model, lanes: 1, steps: window, learns: false)
        let lane = [Lane(origin: 0, scored: 0..<text.count, startsFresh: false)]
        var spellings = text.spellings[...]
        var total = 0.0
        for first in stride(from: 0, to: text.count, by: window) {
            let steps = min(window, text.count - first)
            _ = shard.fill(lane, of: text, first: first, steps: steps)
            shard.forward(self, steps: steps)
            _ = shard.loss(steps: steps, scale: 1)
            for step in 0..<steps {
                var nats = Double(shard.losses.view[0, step])
                if let spelling = spellings.first, spelling.position == first + step {
                    nats += spelling.nats
                    spellings.removeFirst()
                }
                perSymbol(first + step, nats)
                total += nats
            }
            shard.advance(steps: steps)
        }
        return total
    }
}
