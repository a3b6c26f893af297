import Concurrency
import LinearAlgebra
import RealModule
import TestSupport
import Testing

@testable import RecurrentNetwork

@Suite("Regularisation")
struct RegularizationTests {
    @Test("A dropout mask is the same at every step of a window, and differs in other windows and lanes")
    func lockedDropout() throws {
        let model = try ModelConfiguration(hidden: 200, vocabularySize: 5, dropout: 0.3)
        let parameters = kept(Parameters<Float>(model))
        parameters.initialize(model, seed: 1)
        let network = Network(model, parameters, learns: true, using: Workers(count: 1))
        let shard = Shard<Float>(model, lanes: 2, steps: 6, learns: true)
        func dropped(step: Int) -> [[Bool]] {
            shard.forward(network, steps: 6, dropout: DropoutStream(seed: 1, step: step, group: 0))
            let output = shard.layers[0].output(6)
            return (0..<12).map { row in (0..<200).map { output[row, $0] == 0 } }
        }
        let rows = dropped(step: 1)
        for row in 2..<12 { #expect(rows[row] == rows[row - 2]) }
        #expect(rows[0] != rows[1] && dropped(step: 2)[0] != rows[0] && dropped(step: 1) == rows)
        // Six standard deviations of 400 draws.
        let share = Double((rows[0] + rows[1]).count { $0 }) / 400
        #expect(abs(share - 0.3) < 0.14)
    }

    @Test("Dropped weights are zero for a window, others are scaled up, and inference uses the original weights")
    func weightDropout() throws {
        var model = try ModelConfiguration(
            cell: .lstm, layers: 2, hidden: 40, embedding: 3, vocabularySize: 5, weightDropout: 0.3)
        let parameters = kept(Parameters<Float>(model))
        parameters.initialize(model, seed: 1)
        let workers = Workers(count: 2)
        let dropout = WeightDropout<Float>(model)
        func drop(step: Int) -> [[Float]] {
            dropout.draw(from: parameters, seed: 1, step: step, using: workers)
            return dropout.dropped.map(\.weight.elements)
        }
        let dropped = drop(step: 1)
        #expect(drop(step: 2) != dropped && drop(step: 1) == dropped && dropped[0] != dropped[1])
        for (layer, elements) in dropped.enumerated() {
            for (kept, weight) in zip(elements, parameters.layers[layer][1].elements) {
                #expect(kept == 0 || abs(kept - weight / 0.7) <= 1e-6 * abs(weight))
            }
            // Six standard deviations of 6,400 draws.
            #expect(abs(Double(elements.count { $0 == 0 }) / Double(elements.count) - 0.3) < 0.035)
        }
        // A network that drops weights reads as one that does not, before a step and after it is packed again.
        let dropping = Network(model, parameters, learns: true, using: workers)
        model.weightDropout = 0
        let plain = Network(model, parameters, learns: true, using: workers)
        func logits(_ network: Network<Float>) -> [Float] {
            let shard = Shard<Float>(model, lanes: 2, steps: 6, learns: false)
            for at in 0..<12 { shard.input.ids.view[0, at] = Int32(at % 5) }
            shard.forward(network, steps: 6)
            return shard.logits.elements
        }
        #expect(logits(dropping) == logits(plain))
        dropping.dropWeights(seed: 1, step: 1, using: workers)
        #expect(logits(dropping) != logits(plain))
        dropping.pack(using: workers)
        #expect(logits(dropping) == logits(plain))
    }

    @Test("Embeddings of n-grams are dropped place by place and length by length, others scaled up; inference uses all")
    func ngramDropout() throws {
        let model = try ModelConfiguration(
            cell: .rnn, hidden: 4, embedding: 3, ngramEmbedding: 3, ngramRows: 1, ngramDropout: 0.3, vocabularySize: 5)
        let parameters = kept(Parameters<Float>(model))
        parameters.ngrams![0, 0] = 0.07
        parameters.ngrams![1, 0] = 0.14
        for unit in 0..<4 { parameters.layers[0][0][unit, 0] = 1 }
        let network = Network(model, parameters, learns: true, using: Workers(count: 1))
        let shard = Shard<Float>(model, lanes: 100, steps: 6, learns: true)
        // With no other weights, and one row for each length, a state tells which embeddings were added.
        func sums(step: Int?) -> [Double] {
            shard.forward(network, steps: 6, dropout: step.map { DropoutStream(seed: 1, step: $0, group: 0) })
            return (0..<600).map { (Double.atanh(Double(shard.layers[0].output(6)[$0, 0])) * 1e4).rounded() / 1e4 }
        }
        let first = sums(step: 1)
        #expect(first != sums(step: 2) && first == sums(step: 1))
        // Neither the lanes nor the steps of a window share what is dropped.
        let parts = (0..<6).map { Array(first[$0 * 100..<($0 + 1) * 100]) }
        #expect(Set(parts).count == 6 && parts.allSatisfy { Set($0).count > 1 })
        // Six standard deviations of 600 draws.
        for (sum, share) in [(0, 0.09), (0.1, 0.21), (0.2, 0.21), (0.3, 0.49)] {
            #expect(abs(Double(first.count { $0 == sum }) / 600 - share) < 0.125, "\(sum)")
        }
        #expect(sums(step: nil).allSatisfy { $0 == 0.21 })
    }

    @Test("Weight decay leaves biases alone", arguments: Optimizer.allCases)
    func decay(optimizer: Optimizer) throws {
        let model = try ModelConfiguration(layers: 2, hidden: 40, embedding: 3, vocabularySize: 7)
        let (parameters, gradient) = (Parameters<Double>(model), Parameters<Double>(model))
        for entry in parameters.layout.entries { parameters[entry].fill(2) }
        let state = OptimizerState<Double>(optimizer, model)
        let isFinite = state.update(
            parameters, gradient: gradient, UpdateStep(step: 1, scale: 1, rate: 0.1, decay: 0.5),
            using: Workers(count: 2))
        #expect(isFinite)
        for entry in parameters.layout.entries {
            let moved = parameters[entry].elements.filter { $0 != 2 }.count
            #expect(moved == (entry.isBias ? 0 : entry.rows * entry.columns), "\(entry.name)")
        }
        if optimizer == .adamw { #expect(abs(parameters.decoderWeight[0, 0] - 2 * (1 - 0.1 * 0.5)) < 1e-12) }
    }
}
