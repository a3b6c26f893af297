import CharacterModel
import Concurrency
import Foundation
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Training

/// Tuning: what is drawn, who wins, and what is left on the disk.
@Suite struct TuningTests {
    private func recommended(_ data: TrainingData, rate: Double = 0.01) throws -> TuningCandidate {
        TuningCandidate(
            configuration: try ModelConfiguration(
                cell: .gru, hidden: 16, embedding: 4, vocabularySize: data.vocabulary.count, dropout: 0.1),
            learningRate: rate, window: 16)
    }

    @Test func drawsWhatIsFreeAndNothingElse() throws {
        let data = try TrainingFixture(text: sampleText).data()
        let first = try recommended(data)
        let all = first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 1)
        #expect(all.count == 30 && all[0] == first)
        for (index, candidate) in all.enumerated() {
            #expect(!all[..<index].contains(candidate), "two are alike")
            try candidate.configuration.validate()
            #expect(candidate.learningRate > 0.003 && candidate.learningRate < 0.0301)
        }
        #expect(Set(all.map(\.window)) == [8, 16, 32] && Set(all.map(\.configuration.layers)) == [1, 2])
        #expect(all == first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 1))
        #expect(all != first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 2))
        let rates = first.neighbours(5, free: [.learningRate], seed: 1)
        #expect(rates.count == 5)
        for candidate in rates {
            #expect(candidate.configuration == first.configuration && candidate.window == first.window)
        }
        #expect(first.neighbours(5, free: [], seed: 1) == [first])
        #expect(first.neighbours(9, free: [.layers], seed: 1).count == 2)
        #expect(first.neighbours(9, free: [.window], seed: 1) { $0.window <= 16 }.map(\.window).sorted() == [8, 16])
    }

    @Test func theBestGoesOnAndIsLeftAsATrainingThatCanBeResumed() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        // One learns, two stand still, one explodes.
        let candidates = try [1e-9, 0.01, 2e-9, 1e12].map { try recommended(data, rate: $0) }
        var record = TrainingRecord()
        record.options.batch = 4
        record.options.warmup = 0
        record.options.optimizer = .sgd
        record.options.clip = 1e30
        record.options.maxRecoveries = 0
        var output = Trainer.Output(path: folder.file("m.safetensors"))
        output.metricsPath = folder.file("m.jsonl")
        try Data("the best resumable state of long ago".utf8).write(to: URL(fileURLWithPath: output.lastPath))
        let halving = SuccessiveHalving(candidates, data: data, record: record, output: output, threads: 1)
        // What a stopped tuning left is nobody's model.
        try FileManager.default.createDirectory(atPath: halving.folder, withIntermediateDirectories: true)
        try Data("a candidate".utf8).write(to: URL(fileURLWithPath: halving.output(of: 0).lastPath))
        var results: [SuccessiveHalving.Result] = []
        let winner = try halving.run(seconds: 1.2, observe: { results.append($0) })
        #expect(winner == 1)
        #expect(results.map(\.round) == [1, 1, 1, 1, 2, 2] && results.prefix(4).map(\.index) == [0, 1, 2, 3])
        #expect(results[4].index == 1 && results[3].nats == .infinity)
        #expect(results[1].nats < results[0].nats)
        // It went on from where it was.
        let last = try #require(results.last { $0.index == 1 })
        #expect(last.step > results[1].step && last.nats <= results[1].nats)
        let checkpoint = try Checkpoint(contentsOf: output.lastPath, withState: true)
        #expect(checkpoint.training?.step == last.step && checkpoint.training?.bestValidation == last.nats)
        #expect(checkpoint.configuration == candidates[1].configuration)
        #expect(try Checkpoint(contentsOf: output.path).training?.bestStep == checkpoint.training?.bestStep)
        let lines = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8)
        #expect(lines.utf8.count == checkpoint.training?.metricsLength && lines.contains("validation_nats"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "m.1.last.safetensors", "m.jsonl", "m.last.safetensors", "m.safetensors",
            ])
    }

    @Test func whatIsStoppedIsLeftInTheFolderAndTheOutputIsNotTouched() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let output = Trainer.Output(path: folder.file("m.safetensors"))
        try Data("an earlier model".utf8).write(to: URL(fileURLWithPath: output.path))
        let halving = SuccessiveHalving(
            try [0.01, 0.02].map { try recommended(data, rate: $0) }, data: data, record: TrainingRecord(),
            output: output, threads: 1)
        #expect(try halving.run(seconds: 60, shouldStop: { true }) == nil)
        #expect(try String(contentsOfFile: output.path, encoding: .utf8) == "an earlier model")
        let saved = try Checkpoint(contentsOf: halving.output(of: 0).lastPath, withState: true)
        #expect(saved.training?.step == 1)
    }

    @Test func noneThatLearnsIsAnError() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        var record = TrainingRecord()
        (record.options.optimizer, record.options.clip, record.options.maxRecoveries) = (.sgd, 1e30, 0)
        record.options.warmup = 0
        let halving = SuccessiveHalving(
            try [1e30, 2e30].map { try recommended(data, rate: $0) }, data: data, record: record,
            output: Trainer.Output(path: folder.file("m.safetensors")), threads: 1)
        #expect(throws: TrainingError.self) { try halving.run(seconds: 0.5) }
    }
}
