import CharacterModel
import Foundation
import LinearAlgebra
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import Training

/// Slips of programs that use the library.
@Suite("Library use")
struct LibraryUseTests {
    private func trainer(
        _ data: TrainingData, _ output: String, steps: Int = 5, resuming checkpoint: Checkpoint? = nil,
        from adaptation: Adaptation? = nil
    ) throws -> Trainer {
        var record = checkpoint?.training ?? TrainingRecord()
        record.options.budget = .steps(steps)
        let model =
            try checkpoint?.configuration ?? adaptation?.configuration
            ?? ModelConfiguration(hidden: 8, vocabularySize: data.vocabulary.count)
        return try Trainer(
            model, data: data, record: record, output: .init(path: output), threads: 1, resuming: checkpoint,
            from: adaptation)
    }

    private func data(vocabulary: Vocabulary? = nil) throws -> TrainingData {
        try TrainingData(Corpus(reading: [.bytes(Array(sampleText.utf8), name: "t")]), vocabulary: vocabulary)
    }

    @Test("Two trainings that start from one model's weights change neither each other nor the model")
    func adaptation() throws {
        let folder = try TemporaryFolder()
        _ = try trainer(try data(), folder.file("a.safetensors")).run()
        let checkpoint = try Checkpoint(contentsOf: folder.file("a.safetensors"))
        let adaptation = try Adaptation(checkpoint, to: try data().vocabulary, seed: 1)
        for name in ["b", "c"] {
            _ = try trainer(try data(), folder.file("\(name).safetensors"), from: adaptation).run()
        }
        #expect(Tensors.sha256([folder.file("b.safetensors")]) == Tensors.sha256([folder.file("c.safetensors")]))
        #expect(adaptation.parameters.elements == checkpoint.parameters.elements)
    }

    @Test("A training records the name of its text if the program gives none")
    func description() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus(reading: [.bytes(Array(sampleText.utf8), name: "t")])
        _ = try trainer(try data(), folder.file("a.safetensors")).run()
        let record = try #require(try Checkpoint(contentsOf: folder.file("a.safetensors")).training?.corpus)
        #expect(record.sha256 == corpus.sha256 && record.sources == ["t"] && record.validationSHA256 == nil)
    }

    @Test("A checkpoint read without its state cannot be resumed")
    func withoutState() throws {
        let folder = try TemporaryFolder()
        _ = try trainer(try data(), folder.file("a.safetensors")).run()
        let checkpoint = try Checkpoint(contentsOf: folder.file("a.last.safetensors"))
        #expect(throws: CheckpointError.noTrainingState(path: folder.file("a.last.safetensors"))) {
            try trainer(
                try data(vocabulary: checkpoint.vocabulary), folder.file("a.safetensors"), steps: 9,
                resuming: checkpoint)
        }
    }

    @Test("A trainer's second run locks its files again, and detects that another training wrote them")
    func secondRun() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        let first = try trainer(try data(), path)
        #expect(try first.run() == .finished && first.run() == .finished)
        let lock = try OutputLock(of: path)
        #expect(throws: TrainingError.checkpoint(.inUse(path: path))) { try first.run() }
        withExtendedLifetime(lock) {}
    }

    @Test("A second run does not overwrite another training's files")
    func changedBetween() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        let first = try trainer(try data(), path)
        #expect(try first.run() == .finished)
        let last = folder.file("a.last.safetensors")
        let checkpoint = try Checkpoint(contentsOf: last, withState: true)
        _ = try trainer(try data(vocabulary: checkpoint.vocabulary), path, steps: 9, resuming: checkpoint).run()
        #expect(throws: TrainingError.checkpoint(.changed(path: last))) { try first.run() }
    }

    @Test("The kernel level is recorded, and a different one is reported")
    func kernelLevel() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        _ = try trainer(try data(), path).run()
        let checkpoint = try Checkpoint(contentsOf: folder.file("a.last.safetensors"), withState: true)
        let now = "\(KernelLevel.inUse.arithmetic)"
        #expect(checkpoint.training?.kernelLevel == now)
        for (level, isTold) in [(now, false), ("other", true), (nil, false)] {
            var record = try #require(checkpoint.training)
            record.kernelLevel = level
            var told = false
            let trainer = try Trainer(
                checkpoint.configuration, data: try data(vocabulary: checkpoint.vocabulary), record: record,
                output: .init(path: path), threads: 1, resuming: checkpoint
            ) { if case .otherKernels(before: "other", _) = $0 { told = true } }
            #expect(told == isTold && trainer.record.kernelLevel == now)
            // Files from before there was a choice go on as they were trained.
            record.options.precision = nil
            let earlier = try Trainer(
                checkpoint.configuration, data: try data(vocabulary: checkpoint.vocabulary), record: record,
                output: .init(path: folder.file("b\(level ?? "").safetensors")), threads: 1, resuming: checkpoint)
            #expect(earlier.record.options.precision == .float32)
        }
    }
}
