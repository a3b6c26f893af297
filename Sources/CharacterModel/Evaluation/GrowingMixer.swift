import RealModule
import RecurrentNetwork

/// Scores segments of a text, one after the other, with a network that may change between them and counts that grow.
struct GrowingMixer {
    private let gate: MixtureGate
    private var counts: GrowingCounts
    private var cursor = NGramCursor()
    private var pair: ExpertPair
    private let shard: Shard<Float>
    private var row: [Float]

    init(_ mixture: CountMixture, _ model: ModelConfiguration, steps: Int) {
        (gate, counts) = (mixture.gate, GrowingCounts(mixture.counts))
        pair = ExpertPair(size: mixture.counts.vocabulary.size)
        shard = Shard(model, lanes: 1, steps: steps, learns: false)
        row = [Float](repeating: 0, count: mixture.counts.vocabulary.size)
    }

    /// The nats of a segment; each of its symbols is counted once it is scored.
    mutating func nats(of window: LaneWindow, steps: Int, _ network: Network<Float>) -> Double {
        shard.input.copy(0..<1, of: window, steps: steps)
        shard.forward(network, steps: steps)
        defer { shard.advance(steps: steps) }
        var nats = 0.0
        for step in 0..<steps {
            if shard.input.resets.view[0, step] != 0 { cursor.reset() }
            cursor.read(shard.input.ids.view[0, step], in: counts)
            let target = shard.input.targets.view[0, step]
            guard target >= 0 else { continue }
            pair.set(logits: shard.logits.view.rows(step..<step + 1).base, cursor: cursor, of: counts)
            let (a, b) = gate.exponents(pair.features)
            nats += row.withUnsafeMutableBufferPointer { row in
                pair.mix(Float(a), Float(b), into: row.baseAddress!)
                return ExpertPair.nats(of: Int(target), row)
            }
            counts.add(target, at: cursor)
        }
        return nats
    }
}

extension ExpertPair {
    /// -ln p of a symbol under some logits.
    fileprivate static func nats(of target: Int, _ logits: UnsafeMutableBufferPointer<Float>) -> Double {
        let highest = logits.max() ?? 0
        let sum = logits.reduce(0.0) { $0 + Double(Float.exp($1 - highest)) }
        return .log(sum) - Double(logits[target] - highest)
    }
}
