import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing

@testable import CharacterModel
@testable import Training

@Suite("Resume")
struct ResumeTests {
    private func tensors(_ path: String, state: Bool) throws -> [[Float]] {
        let checkpoint = try Checkpoint(contentsOf: path, withState: state)
        var all = [checkpoint.parameters.elements]
        if let state = checkpoint.state {
            all += state.moments.map { $0.elements }
            all += state.lanes.values.flatMap { $0 }
        }
        return all
    }

    private func record(_ path: String) throws -> TrainingRecord {
        var record = try #require(try Checkpoint(contentsOf: path).training)
        (record.seconds, record.pendingSeconds, record.metricsPath) = (0, 0, nil)
        return record
    }

    /// Writes a checkpoint with another record.
    private func rewrite(
        _ checkpoint: Checkpoint, to path: String, _ change: (inout TrainingRecord) -> Void
    ) throws {
        var record = try #require(checkpoint.training)
        change(&record)
        try Checkpoint(
            configuration: checkpoint.configuration, vocabulary: checkpoint.vocabulary,
            parameters: checkpoint.parameters, training: record, state: checkpoint.state,
            recoveryPoint: checkpoint.recoveryPoint
        ).write(to: path)
    }

    /// Everything but the time that has passed.
    private func metrics(_ path: String) throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            let withoutTime = $0.replacing(/"seconds":[^,]*,/, with: "")
            return String(withoutTime.replacing(/,"tokens_per_second":[^}]*/, with: ""))
        }
    }

    @Test(
        "2N steps, stopped anywhere and resumed, equal 2N uninterrupted steps, bit for bit",
        arguments: CellKind.allCases, [1, 13, 14, 25])
    func exact(cell: CellKind, stop: Int) throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.cell = cell
        fixture.layers = 2
        fixture.embedding = cell == .gru ? 12 : 0
        fixture.isTied = cell == .gru
        fixture.dropout = 0.25
        fixture.weightDropout = cell.uses("weight-dropout") ? 0.2 : 0
        fixture.options.batch = 11
        fixture.options.window = 40
        fixture.options.budget = .steps(26)
        fixture.options.evaluateEvery = 4
        fixture.metrics = folder.file("whole.jsonl")
        let whole = try fixture.run(output: folder.file("whole.safetensors"))
        #expect(whole.ending == .finished && whole.trainer.record.epoch >= 1)

        fixture.metrics = folder.file("parts.jsonl")
        let first = try fixture.run(output: folder.file("parts.safetensors"), stopAfter: stop)
        #expect(first.ending == .stopped && first.trainer.record.step == stop)
        fixture.threads = 2
        let second = try fixture.run(
            output: folder.file("parts.safetensors"), resuming: folder.file("parts.last.safetensors"))
        #expect(second.ending == .finished)

        #expect(
            try tensors(folder.file("whole.last.safetensors"), state: true)
                == tensors(folder.file("parts.last.safetensors"), state: true))
        #expect(
            try tensors(folder.file("whole.safetensors"), state: false)
                == tensors(folder.file("parts.safetensors"), state: false))
        var (a, b) = (
            try record(folder.file("whole.last.safetensors")), try record(folder.file("parts.last.safetensors"))
        )
        // The lines are equal but for their times, whose digits may take more or fewer bytes.
        (a.metricsLength, b.metricsLength) = (0, 0)
        // It tells the seconds.
        (a.metricsFirstLine, b.metricsFirstLine) = (nil, nil)
        #expect(a == b)
        #expect(try metrics(folder.file("whole.jsonl")) == metrics(folder.file("parts.jsonl")))
    }

    @Test("A run killed after a new best, resumed from an older state with less to do, keeps the better model")
    func laterBest() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        (fixture.options.budget, fixture.options.evaluateEvery) = (.steps(40), 5)
        let (path, last) = (folder.file("m.safetensors"), folder.file("m.last.safetensors"))
        _ = try fixture.run(output: path, stopAfter: 12)
        let old = try Checkpoint(contentsOf: last, withState: true)
        _ = try fixture.run(output: path, resuming: last, stopAfter: 8)
        let best = try record(path)
        try #require(best.bestStep == 15 && best.bestValidation! < old.training!.bestValidation!)
        // As if it had been killed before it saved its state again.
        try rewrite(old, to: last) { $0.options.budget = .steps(13) }
        let resumed = try fixture.run(output: path, resuming: last).trainer
        #expect(resumed.record.step == 13 && resumed.record.bestStep == 15)
        #expect(resumed.record.bestValidation == best.bestValidation)
        #expect(try record(path).step == 15 && record(last).bestStep == 15)
        // Stopped after that step and resumed, and learning next to nothing, it still does.
        try rewrite(old, to: last) { record in
            (record.options.budget, record.options.evaluateEvery) = (.steps(20), 18)
            record.options.learningRate = 1e-9
        }
        let stopped = try fixture.run(output: path, resuming: last, stopAfter: 7).trainer
        #expect(stopped.record.step == 19 && stopped.savedStep == 15)
        let again = try fixture.run(output: path, resuming: last).trainer
        #expect(again.record.step == 20 && again.record.bestStep == 15)
        #expect(try again.record.bestValidation == best.bestValidation && record(path).step == 15)
        // With more to do it finds the same again.
        try rewrite(old, to: last) { _ in }
        let whole = try fixture.run(output: path, resuming: last).trainer
        let other = try fixture.run(output: folder.file("other.safetensors")).trainer
        #expect(whole.record.bestStep == other.record.bestStep)
        #expect(try tensors(path, state: false) == tensors(folder.file("other.safetensors"), state: false))
    }

    @Test("Resuming a finished run repeats its final evaluation")
    func finished() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(5)
        fixture.metrics = folder.file("m.jsonl")
        _ = try fixture.run(output: folder.file("m.safetensors"))
        let before = try metrics(folder.file("m.jsonl"))
        let again = try fixture.run(output: folder.file("m.safetensors"), resuming: folder.file("m.last.safetensors"))
        #expect(again.ending == .finished && again.trainer.record.step == 5)
        #expect(try metrics(folder.file("m.jsonl")) == before)
        #expect(before.filter { $0.contains("\"exact\":true") }.count == 1)
    }

    @Test("A longer budget continues and validates again; a spent one ends at once")
    func otherBudgets() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(10)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        func resume(_ steps: Int) throws -> (steps: Int, validations: Int) {
            let path = folder.file("m.last.safetensors")
            let checkpoint = try Checkpoint(contentsOf: path, withState: true)
            try rewrite(checkpoint, to: path) { $0.options.budget = .steps(steps) }
            let trainer = try fixture.run(output: folder.file("m.safetensors"), resuming: path).trainer
            return (trainer.record.step, trainer.record.validations)
        }
        #expect(try resume(5) == (10, 10))
        let (steps, validations) = try resume(40)
        #expect(steps == 40 && validations > 15)
    }

    @Test("A training whose best model was deleted makes it again, finished or not")
    func missingBest() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(8)
        let path = folder.file("m.safetensors")
        for stop in [3, nil] {
            _ = try fixture.run(output: path, stopAfter: stop)
            try? FileManager.default.removeItem(atPath: path)
            let again = try fixture.run(output: path, resuming: folder.file("m.last.safetensors"))
            #expect(again.ending == .finished)
            #expect(try Checkpoint(contentsOf: path).configuration.hidden == fixture.hidden)
        }
    }

    @Test("Temporary files of dead processes are removed, others are left")
    func sweep() throws {
        let folder = try TemporaryFolder()
        // No process has a number above 2^22 on Linux; this one lives.
        let (dead, alive) = ("m.safetensors.4194305.tmp", "m.safetensors.\(getpid()).tmp")
        for name in [dead, alive, "m.safetensors.mine.tmp"] { _ = try folder.write("x", to: name) }
        AtomicFile.sweep(beside: folder.file("m.safetensors"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == [alive, "m.safetensors.mine.tmp"].sorted())
    }

    @Test("Weights that exploded are not saved")
    func explodedWeights() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.fraction = 0
        fixture.options.budget = .steps(1)
        fixture.options.optimizer = .sgd
        fixture.options.learningRate = 1e300
        fixture.options.warmup = 0
        #expect(throws: TrainingError.self) { try fixture.run(output: folder.file("m.safetensors")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("A record whose counters do not fit is refused")
    func hostileRecord() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(5)
        _ = try fixture.run(output: folder.file("m.safetensors"), stopAfter: 2)
        let path = folder.file("m.last.safetensors")
        let checkpoint = try Checkpoint(contentsOf: path, withState: true)
        let changes: [(inout TrainingRecord) -> Void] = [
            { $0.window = 1_000_000 }, { $0.window = -1 }, { $0.step = -5 }, { $0.metricsLength = .min },
            { $0.tokens = .max }, { $0.epoch = .max }, { $0.seconds = -1 },
            { $0.options.batch = 0 }, { $0.options.window = .max }, { $0.options.budget = .epochs(.max) },
        ]
        for (index, change) in changes.enumerated() {
            try rewrite(checkpoint, to: path, change)
            #expect(throws: (any Error).self, "change \(index)") {
                try fixture.run(output: folder.file("m.safetensors"), resuming: path)
            }
        }
    }

    @Test("A training without validation leaves its last weights as the model")
    func noValidation() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.fraction = 0
        fixture.options.budget = .steps(5)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        #expect(
            try tensors(folder.file("m.safetensors"), state: false)
                == tensors(folder.file("m.last.safetensors"), state: false))
    }

    @Test("A finished training leaves nothing in memory")
    func release() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(2)
        fixture.threads = 3
        weak var engine: (any Engine<Float>)?
        weak var workers: Workers?
        do {
            let (trainer, _) = try fixture.run(output: folder.file("m.safetensors"))
            (engine, workers) = (trainer.engine, trainer.workers)
            #expect(engine != nil && workers != nil)
        }
        #expect(engine == nil && workers == nil)
    }
}
