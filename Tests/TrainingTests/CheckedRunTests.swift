import CharacterModel
import Concurrency
import Foundation
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Training

/// The whole way through, small enough for a debug build, where every assertion and every overflow is checked.
@Suite("CheckedRunTests")
struct CheckedRunTests {
    @Test("Train, stop, resume, sample, measure", arguments: CellKind.allCases)
    func wholeWay(cell: CellKind) throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.cell = cell
        fixture.layers = 2
        fixture.embedding = cell == .rnn ? 3 : 0
        fixture.dropout = 0.3
        fixture.weightDropout = cell.uses("weight-dropout") ? 0.2 : 0
        fixture.threads = 2
        fixture.options.batch = 10
        fixture.options.window = 20
        fixture.options.budget = .steps(6)
        let path = folder.file("m.safetensors")
        #expect(try fixture.run(output: path, stopAfter: 3).ending == .stopped)
        #expect(try fixture.run(output: path, resuming: folder.file("m.last.safetensors")).ending == .finished)
        let model = try LanguageModel(contentsOf: path)
        let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: try SamplingFilter(topK: 5, topP: 0.9))
        let sample = try model.generator(prompt: "the ", strategy: strategy, seed: 1).prefix(20)
        #expect(sample.map(\.symbol).count == 20)
    }
}
