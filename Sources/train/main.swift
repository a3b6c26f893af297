import CharacterModel
import LinearAlgebra
import Foundation
func bench(_ cell: CellKind, _ layers: Int, _ hidden: Int, _ batch: Int, _ window: Int, threads: Int = 2) {
    let m = try! ModelConfiguration(cell: cell, layers: layers, hidden: hidden, vocabularySize: 67)
    let p = Parameters<Float>(m)
    let t0 = Date()
    p.initialize(m, seed: 1)
    let t1 = Date()
    let step = TrainingStep<Float>(m, parameters: p, optimizer: .adamw, batch: batch, window: window, seed: 1, workers: Workers(count: threads))
    var times: [Double] = []
    var last = 0.0
    for n in 1...30 {
        let t = Date()
        let o = step.accumulate(steps: window, symbols: batch*window, step: n) { shard, index in
            var g = SplitMix64(seed: UInt64(index), stream: 7)
            for i in 0..<window*shard.lanes { shard.ids.view[0, i] = Int32(g.next() % 67); shard.targets.view[0, i] = Int32(g.next() % 67) }
        }
        step.update(step: n, norm: o.gradientNorm, clip: 1, rate: 0.002, decay: 0)
        times.append(Date().timeIntervalSince(t)); last = o.nats / Double(o.symbols)
    }
    times.sort()
    let rate = Double(batch*window)/times[15]
    print(cell, layers, hidden, batch, window, "init", t1.timeIntervalSince(t0), "symbols/s", Int(rate), "GFLOP/s", rate*6*Double(m.parameterCount-67*hidden*cell.gates)/1e9, "loss", last)
}
bench(.lstm, 2, 128, 50, 50)
bench(.lstm, 2, 256, 64, 64)
bench(.lstm, 3, 512, 64, 128)
bench(.gru, 2, 256, 64, 64)
bench(.rnn, 2, 256, 64, 64)
bench(.lstm, 1, 384, 16, 64)
bench(.lstm, 1, 384, 16, 64, threads: 1)
