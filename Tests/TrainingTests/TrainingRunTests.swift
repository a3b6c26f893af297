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
        let model = try await run.model()
        #expect(await telling.value == [10, 20, 30])
        #expect(model.configuration == run.configuration && model.training?.step ?? 0 <= 30)
        let corpus = try Corpus(reading: [source], options: options)
        let trainer = try Trainer(
            on: TrainingData(corpus), options: options, output: .init(path: folder.file("t.safetensors")), threads: 1)
        #expect(try trainer.run() == .finished)
        #expect(try LanguageModel(contentsOf: folder.file("t.safetensors")).tensors == model.tensors)
    }

    @Test("If cancelled, it saves; resumed, it ends like an uninterrupted one", arguments: [1, 2])
    func cancellation(threads: Int) async throws {
        // Many, so that it is not over before it is cancelled.
        let steps = 2_000
        let whole = try await run("whole.safetensors", steps: steps).model()
        let run = try run("m.safetensors", threads: threads, steps: steps)
        let training = Task { try await run.model() }
        // Cancelled before or within the run: both must do.
        if threads == 2 { for await event in run.events { if case .step = event { break } } }
        training.cancel()
        await #expect(throws: TrainingError.cancelled(state: folder.file("m.last.safetensors"))) {
            try await training.value
        }
        let resumed = try TrainingRun(resuming: run.statePath)
        #expect(try await resumed.model().tensors == whole.tensors)
        let further = try TrainingRun(resuming: run.statePath, on: [source], budget: .steps(steps + 10))
        #expect(try await further.model().training?.options.steps == steps + 10)
    }

    @Test("An actor that trains can do other things meanwhile")
    @MainActor func responsiveness() async throws {
        let run = try run("m.safetensors")
        let isDone = Task { @MainActor in
            _ = try await run.model()
            return true
        }
        // This task is on the same actor, and would not go on if the training blocked it before its end.
        var events = 0
        for await _ in run.events { events += 1 }
        #expect(try await isDone.value && events > 3)
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
        _ = try await run.model()
        #expect(throws: TrainingError.corpusChanged(name: "text")) {
            try TrainingRun(resuming: run.statePath, on: [.text(sampleText + "!")])
        }
    }
}
