import LinearAlgebra
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

@Suite("Regularisation")
struct RegularizationTests {
    @Test("A dropout mask is the same at every step of a window, and another in the next window and lane")
    func lockedDropout() throws {
        let model = try ModelConfiguration(hidden: 200, vocabularySize: 5, dropout: 0.3)
        let parameters = kept(Parameters<Float>(model))
        parameters.initialize(model, seed: 1)
        let network = Network(model, parameters, learns: true, using: Workers(count: 1))
        let shard = Shard<Float>(model, lanes: 2, steps: 6, learns: true)
        func dropped(step: Int) -> [[Bool]] {
            shard.forward(network, steps: 6, dropout: DropoutStream(seed: 1, step: step, shard: 0))
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

    @Test("Dropped weights are zero for a window, others grow, and what is read afterwards is the weights themselves")
    func weightDropout() throws {
        var model = try ModelConfiguration(
            cell: .lstm, layers: 2, hidden: 40, embedding: 3, vocabularySize: 5, weightDropout: 0.3)
        let parameters = kept(Parameters<Float>(model))
        parameters.initialize(model, seed: 1)
        let workers = Workers(count: 2)
        let dropout = WeightDropout<Float>(model)
        func drop(step: Int) -> [[Float]] {
            dropout.draw(from: parameters, seed: 1, step: step, using: workers)
            return dropout.weights.map(\.elements)
        }
        let dropped = drop(step: 1)
        #expect(drop(step: 2) != dropped && drop(step: 1) == dropped && dropped[0] != dropped[1])
        for (layer, elements) in dropped.enumerated() {
            for (kept, weight) in zip(elements, parameters.layers[layer].recurrentWeight.elements) {
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
            for at in 0..<12 { shard.ids.view[0, at] = Int32(at % 5) }
            shard.forward(network, steps: 6)
            return shard.logits.elements
        }
        #expect(logits(dropping) == logits(plain))
        dropping.dropWeights(seed: 1, step: 1, using: workers)
        #expect(logits(dropping) != logits(plain))
        dropping.pack(using: workers)
        #expect(logits(dropping) == logits(plain))
    }

    @Test("Weight decay leaves biases alone", arguments: Optimizer.allCases)
    func decay(optimizer: Optimizer) throws {
        let model = try ModelConfiguration(layers: 2, hidden: 40, embedding: 3, vocabularySize: 7)
        let (parameters, gradient) = (Parameters<Double>(model), Parameters<Double>(model))
        for entry in parameters.layout.entries { parameters[entry].fill(2) }
        let state = OptimizerState<Double>(optimizer, model)
        state.update(
            parameters, gradient: gradient, step: 1, scale: 1, rate: 0.1, decay: 0.5, using: Workers(count: 2))
        for entry in parameters.layout.entries {
            let moved = parameters[entry].elements.filter { $0 != 2 }.count
            #expect(moved == (entry.isBias ? 0 : entry.rows * entry.columns), "\(entry.name)")
        }
        if optimizer == .adamw { #expect(abs(parameters.decoderWeight[0, 0] - 2 * (1 - 0.1 * 0.5)) < 1e-12) }
    }

    /// How often lanes of a text start afresh at a window's beginning, behind which symbols.
    private func coldStarts(_ text: String) throws -> (windows: Int, starts: [Character]) {
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        let data = try TrainingData(corpus, fraction: 0)
        let schedule = LaneSchedule(symbols: data.trainingSymbols, batch: 8, window: 16, startsFresh: false)
        let feed = TrainingFeed(data, schedule.lanes, seed: 3)
        let model = try ModelConfiguration(hidden: 1, vocabularySize: data.vocabulary.count)
        let shard = Shard<Float>(model, lanes: 8, steps: 16, learns: false)
        let characters = Array(text)
        var starts: [Character] = []
        for epoch in 0..<4 {
            for window in 0..<schedule.windows {
                let steps = schedule.steps(ofWindow: window)
                feed.turn(to: steps, epoch: epoch)
                _ = feed.fill(shard, lanes: 0..<8)
                for reset in shard.resets {
                    #expect(reset.step == 0 && shard.ids.view[0, reset.lane] == Int32(data.vocabulary.boundary))
                    let position = schedule.lanes[reset.lane].origin + steps.lowerBound
                    if position > 0 { starts.append(characters[position - 1]) }
                }
            }
        }
        return (4 * 8 * schedule.windows, starts)
    }

    @Test("Lanes forget what they have read now and then, at the beginnings of lines where there are lines")
    func coldStarts() throws {
        let lines = String(repeating: "ab\ncde\n", count: 2_000)
        let (windows, starts) = try coldStarts(lines)
        #expect(starts.allSatisfy { $0 == "\n" })
        // Two of seven places follow a line end, and half of those are taken.
        #expect(abs(Double(starts.count) / Double(windows) - 1.0 / 7) < 0.05)
        let (more, rare) = try coldStarts(String(repeating: "ab cde ", count: 2_000))
        #expect((1...30).contains(rare.count) || abs(Double(rare.count) / Double(more) - 0.01) < 0.01)
        #expect(try coldStarts(lines).starts == starts)
    }
}
