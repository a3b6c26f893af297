import CharacterModel
import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Training

@Suite("Learning")
struct LearningTests {
    @Test("Every cell learns a periodic text to near-zero loss", arguments: CellKind.allCases)
    func periodic(cell: CellKind) throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: String(repeating: "strong weak weak, ", count: 300))
        fixture.cell = cell
        fixture.hidden = 32
        // The gates of a minGRU see its input alone: to tell the first of two equal words from the second takes another layer.
        fixture.layers = cell == .mingru ? 2 : 1
        fixture.options.budget = .steps(400)
        fixture.options.learningRate = 0.01
        fixture.options.window = 32
        var last = 9.0
        _ = try fixture.run(output: folder.file("m.safetensors")) { event in
            if case .validation(let report) = event, report.isExact { last = report.nats }
        }
        // The first symbols of a text cannot be known; there are 540, so a few nats in all are 0.02 each.
        #expect(last < 0.02, "\(cell): \(last) nats")
    }

    /// A source that repeats its last symbol with probability 0.8 and else takes one of the other three: its entropy rate
    /// is known, and no model can do better but by chance.
    @Test("A first-order Markov source is learned to within 1 % of its entropy", arguments: CellKind.allCases)
    func markov(cell: CellKind) throws {
        var generator = SplitMix64(seed: 42)
        let symbols = Array("abcd")
        var current = 0
        let text = String(
            (0..<120_000).map { _ -> Character in
                if generator.uniform() >= 0.8 { current = (current + 1 + Int(generator.next() % 3)) % 4 }
                return symbols[current]
            })
        let entropy = -(0.8 * log(0.8) + 0.2 * log(0.2 / 3))
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: text)
        fixture.cell = cell
        fixture.hidden = 16
        fixture.fraction = 0.5
        fixture.options.budget = .steps(600)
        fixture.options.learningRate = 0.01
        var best = 9.0
        _ = try fixture.run(output: folder.file("m.safetensors")) { event in
            if case .validation(let report) = event, report.isExact { best = report.nats }
        }
        // 60,000 symbols leave a standard error of 0.4 %.
        #expect(abs(best / entropy - 1) < 0.01, "\(cell): \(best) nats, entropy \(entropy)")
    }

    @Test("The same weights at 1, 2 and 5 threads, to the bit", arguments: CellKind.allCases)
    func threads(cell: CellKind) throws {
        var weights: [[Float]] = []
        for threads in [1, 2, 5] {
            let folder = try TemporaryFolder()
            var fixture = TrainingFixture(text: sampleText)
            fixture.cell = cell
            fixture.layers = 2
            fixture.hidden = 140
            fixture.dropout = 0.2
            fixture.threads = threads
            fixture.options.batch = 21
            fixture.options.window = 16
            fixture.options.budget = .steps(12)
            _ = try fixture.run(output: folder.file("m.safetensors"))
            let last = try Checkpoint(contentsOf: folder.file("m.last.safetensors"), withState: true)
            weights.append(last.parameters.elements + last.state!.moments.flatMap { $0.elements })
        }
        #expect(weights[0] == weights[1])
        #expect(weights[0] == weights[2])
    }

    @Test("Validation does not disturb training")
    func validationIsPure() throws {
        var weights: [[Float]] = []
        for every in [1, 1_000] {
            let folder = try TemporaryFolder()
            var fixture = TrainingFixture(text: sampleText)
            fixture.options.evaluateEvery = every
            fixture.options.budget = .steps(15)
            fixture.dropout = 0.1
            fixture.weightDropout = 0.2
            _ = try fixture.run(output: folder.file("m.safetensors"))
            weights.append(try Checkpoint(contentsOf: folder.file("m.last.safetensors")).parameters.elements)
        }
        #expect(weights[0] == weights[1])
    }

    @Test("A loss that is not finite stops the training and leaves the last good checkpoint")
    func explosion() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(10)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("m.safetensors")))
        fixture.cell = .rnn
        fixture.options.budget = .steps(400)
        fixture.options.optimizer = .sgd
        fixture.options.learningRate = 1e38
        fixture.options.clip = 1e38
        fixture.options.evaluateEvery = 1_000
        #expect(throws: TrainingError.self) { try fixture.run(output: folder.file("m.safetensors")) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("m.safetensors"))) == before)
    }

    @Test("Patience ends a training that no longer improves")
    func patience() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(3_000)
        fixture.options.learningRate = 0.05
        fixture.options.evaluateEvery = 5
        fixture.options.patience = 3
        let (trainer, ending) = try fixture.run(output: folder.file("m.safetensors"))
        #expect(ending == .finished && trainer.record.isFinished)
        #expect(trainer.record.step < 3_000 && trainer.record.validationsSinceBest == 3)
    }
}
