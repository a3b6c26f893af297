import CharacterModel
import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

/// Training as programs do it.
@Suite("A training in a program")
struct TrainingRunTests {
    private let folder: TemporaryFolder
    private let source: TextSource
    private var options: TrainingOptions

    init() throws {
        folder = try TemporaryFolder()
        source = .file(path: try folder.write(sampleText, to: "text.txt"))
        options = TrainingOptions()
        options.budget = .steps(30)
        options.hidden = 12
    }

    private func run(_ name: String, threads: Int = 1, steps: Int = 30) throws -> TrainingRun {
        var options = options
        options.budget = .steps(steps)
        return try TrainingRun(
            on: [source], options: options, output: .init(path: folder.file(name)), threads: threads)
    }

    @Test("It reports events, ends with the best model, and does the same as the trainer")
    func wholeRun() async throws {
        let run = try run("m.safetensors", threads: 2)
        let telling = Task {
            var steps: [Int] = []
            for await event in run.events { if case .step(let report) = event { steps.append(report.step) } }
            return steps
        }
        let model = try await run.train()
        #expect(await telling.value == [10, 20, 30])
        #expect(try model.configuration == run.configuration && #require(model.training).step <= 30)
        let corpus = try Corpus(reading: [source], options: options)
        let trainer = try Trainer(
            on: TrainingData(corpus), options: options, output: .init(path: folder.file("t.safetensors")), threads: 1)
        #expect(try trainer.run() == .finished)
        #expect(try LanguageModel(contentsOf: folder.file("t.safetensors")).tensors == model.tensors)
    }

    @Test("If cancelled, it saves; resumed, it ends like an uninterrupted one", arguments: [1, 2])
    func cancellation(threads: Int) async throws {
        // The budget decides nothing but the end.
        var options = options
        (options.schedule, options.warmup, options.evaluateEvery) = (.constant, 10, 20)
        (options.learningRate, options.dropout, options.weightDropout) = (0.003, 0, 0)
        (options.embedding, options.ngramEmbedding, options.layers, options.tied) = (8, 3, 1, false)
        (options.cell, options.ngramDropout) = (.gru, 0.3)
        // It ends only if it is cancelled.
        options.budget = .steps(1_000_000_000)
        let run = try TrainingRun(
            on: [source], options: options, output: .init(path: folder.file("m.safetensors")), threads: threads)
        let training = Task { try await run.train() }
        for await event in run.events { if case .step = event { break } }
        if threads == 1 { run.cancel() } else { training.cancel() }
        await #expect(throws: TrainingError.cancelled(state: folder.file("m.last.safetensors"))) {
            try await training.value
        }
        let step = try #require(try Checkpoint(contentsOf: run.statePath).training).step + 25
        let resumed = try TrainingRun(resuming: run.statePath, budget: .steps(step))
        options.budget = .steps(step)
        let whole = try TrainingRun(
            on: [source], options: options, output: .init(path: folder.file("whole.safetensors")))
        #expect(try await resumed.train().tensors == whole.train().tensors)
    }

    @Test("An actor that trains can do other things meanwhile", .timeLimit(.minutes(10)))
    @MainActor func responsiveness() async throws {
        var options = options
        options.budget = .steps(1_000_000_000)
        let run = try TrainingRun(
            on: [source], options: options, output: .init(path: folder.file("m.safetensors")))
        let training = Task { @MainActor in try await run.train() }
        // This is the same actor: if the training blocked it, no event would be seen before the end, which never comes.
        for await event in run.events { if case .step = event { break } }
        run.cancel()
        await #expect(throws: TrainingError.self) { try await training.value }
    }

    @Test("Texts that have moved are recorded where they are; a folder is read as the command reads it")
    func movedTexts() async throws {
        try FileManager.default.createDirectory(atPath: folder.file("texts"), withIntermediateDirectories: true)
        let first = try folder.write(sampleText, to: "texts/a.txt")
        let run = try TrainingRun(
            on: TextSource.sources(at: [folder.file("texts")]), options: options,
            output: .init(path: folder.file("m.safetensors")))
        _ = try await run.train()
        try FileManager.default.moveItem(atPath: first, toPath: folder.file("b.txt"))
        #expect(throws: TrainingError.text(.missing(path: first))) { try TrainingRun(resuming: run.statePath) }
        let moved = try TrainingRun(
            resuming: run.statePath, on: [.file(path: folder.file("b.txt"))], budget: .steps(40))
        _ = try await moved.train()
        _ = try TrainingRun(resuming: run.statePath, budget: .steps(50))
    }

    @Test("Invalid input is a typed error")
    func errors() throws {
        func error(_ make: () throws(TrainingError) -> TrainingRun) -> TrainingError? {
            do { _ = try make() } catch { return error }
            return nil
        }
        let output = Trainer.Output(path: folder.file("m.safetensors"))
        let missing = TextSource.file(path: folder.file("none.txt"))
        #expect(
            error { () throws(TrainingError) in try TrainingRun(on: [missing], output: output) }
                == .text(.missing(path: folder.file("none.txt"))))
        #expect(
            error { () throws(TrainingError) in try TrainingRun(on: [.text("ab")], output: output) }
                == .tooShort(symbols: 1, needed: 65))
        var odd = options
        odd.batch = 0
        guard
            case .configuration = error({ () throws(TrainingError) in
                try TrainingRun(on: [source], options: odd, output: output)
            })
        else {
            Issue.record("a batch of 0")
            return
        }
        #expect(
            error { () throws(TrainingError) in try TrainingRun(resuming: folder.file("none.last.safetensors")) }
                == .checkpoint(.missing(path: folder.file("none.last.safetensors"))))
    }

    @Test("Resuming on a different text is refused")
    func otherText() async throws {
        let run = try run("m.safetensors")
        _ = try await run.train()
        #expect(throws: TrainingError.corpusChanged(name: "text")) {
            try TrainingRun(resuming: run.statePath, on: [.text(sampleText + "!")])
        }
    }
}
