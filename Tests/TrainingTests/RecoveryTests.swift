import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing

@testable import CharacterModel
@testable import Training

@Suite("Recovery")
struct RecoveryTests {
    private func fixture(steps: Int, rate: Double) -> TrainingFixture {
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.batch = 4
        fixture.options.window = 16
        fixture.options.budget = .steps(steps)
        fixture.options.learningRate = rate
        fixture.options.schedule = .constant
        fixture.options.warmup = 0
        fixture.logEvery = 1
        return fixture
    }

    private func reports(_ fixture: TrainingFixture, _ output: String) throws -> ([RecoveryReport], TrainingRecord) {
        var reports: [RecoveryReport] = []
        let trainer = try fixture.run(output: output) { if case .recovery(let report) = $0 { reports.append(report) } }
            .trainer
        return (reports, trainer.record)
    }

    @Test("A loss counts as exploded if it is not finite, or far above its mean for several steps")
    func monitor() {
        var monitor = LossMonitor()
        for _ in 0..<50 { #expect(monitor.flaw(in: 2) == nil) }
        // Another language for three steps.
        for nats in [9.0, 7, 5.5] { #expect(monitor.flaw(in: nats) == nil && !monitor.isCalm) }
        #expect(monitor.flaw(in: 4.5) == nil && monitor.isCalm)
        for _ in 0..<4 { #expect(monitor.flaw(in: 6) == nil) }
        #expect(monitor.flaw(in: 6) != nil)
        var other = LossMonitor()
        #expect(other.flaw(in: .nan) != nil && other.flaw(in: .infinity) != nil)
    }

    @Test("A learning rate that explodes is halved until it does not, and the model is usable")
    func explodingRate() throws {
        let folder = try TemporaryFolder()
        var fixture = fixture(steps: 260, rate: 60)
        fixture.options.clip = 1e6
        fixture.metrics = folder.file("m.jsonl")
        let (reports, record) = try reports(fixture, folder.file("m.safetensors"))
        #expect(!reports.isEmpty && reports.map(\.count) == Array(1...reports.count))
        #expect(record.step == 260 && record.recovery.count == reports.count)
        #expect(reports.last!.learningRate == 60 * record.recovery.rateFactor)
        let model = try LanguageModel(contentsOf: folder.file("m.safetensors"))
        #expect(model.training!.bestValidation!.isFinite)
        let lines = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count { $0.contains("\"recovery\":") } == reports.count)
    }

    @Test("Weights poisoned in mid-run are replaced by the last good ones")
    func poison() throws {
        let folder = try TemporaryFolder()
        let fixture = fixture(steps: 300, rate: 0.01)
        for value in [Float.nan, .infinity, 1e4] {
            var recoveries: [RecoveryReport] = []
            var poisoned = false
            nonisolated(unsafe) var engine: (any Engine<Float>)?
            let data = try fixture.data()
            let model = try ModelConfiguration(hidden: 12, vocabularySize: data.vocabulary.count)
            var record = TrainingRecord()
            record.options = fixture.options
            var output = Trainer.Output(path: folder.file("m.safetensors"))
            output.logEvery = 1
            let trainer = try Trainer(model, data: data, record: record, output: output, threads: 1) { event in
                if case .recovery(let report) = event { recoveries.append(report) }
                if case .step(let report) = event, report.step == 250, !poisoned {
                    poisoned = true
                    let state = try! engine!.state
                    state.parameters.decoderWeight[0, 0] = value
                    try! engine!.restore(state)
                }
            }
            engine = trainer.engine
            #expect(try trainer.run() == .finished)
            #expect(recoveries.count == 1 && recoveries.first?.point == 200 && recoveries.first?.count == 1, "\(value)")
            #expect(try trainer.record.step == 300 && trainer.engine.state.parameters.elements.allSatisfy(\.isFinite))
        }
    }

    @Test("A recovery point that does not fit the training is refused")
    func hostilePoint() throws {
        let folder = try TemporaryFolder()
        let fixture = fixture(steps: 20, rate: 0.01)
        let path = folder.file("m.last.safetensors")
        _ = try fixture.run(output: folder.file("m.safetensors"), stopAfter: 10)
        let whole = try Checkpoint(contentsOf: path, withState: true)
        func refused(_ change: (inout TrainingRecord, inout EngineState<Float>) -> Void) throws -> Bool {
            var (record, point) = (try #require(whole.training), try #require(whole.recoveryPoint))
            change(&record, &point)
            try Checkpoint(
                configuration: whole.configuration, vocabulary: whole.vocabulary, parameters: whole.parameters,
                training: record, state: whole.state, recoveryPoint: point
            ).write(to: path)
            do { _ = try fixture.run(output: folder.file("m.safetensors"), resuming: path) } catch is CheckpointError {
                return true
            }
            return false
        }
        let model = whole.configuration
        #expect(try refused { $1.lanes = NetworkState(model, lanes: 1) })
        #expect(try refused { record, _ in record.recovery.monitor.level = -1e300 })
        #expect(try refused { record, _ in record.recovery.monitor.strikes = .max })
        #expect(try refused { record, _ in record.recovery.point!.window = 1_000_000 })
        #expect(try refused { record, _ in record.recovery.count = .max })
        #expect(try !refused { _, _ in })
    }

    @Test("A metrics file that a checkpoint names is cut only if it holds metrics")
    func namedMetrics() throws {
        let folder = try TemporaryFolder()
        let fixture = fixture(steps: 20, rate: 0.01)
        let path = folder.file("m.last.safetensors")
        _ = try fixture.run(output: folder.file("m.safetensors"), stopAfter: 10)
        let whole = try Checkpoint(contentsOf: path, withState: true)
        var record = try #require(whole.training)
        record.metricsPath = try folder.write("my diary\n", to: "diary.txt")
        try Checkpoint(
            configuration: whole.configuration, vocabulary: whole.vocabulary, parameters: whole.parameters,
            training: record, state: whole.state, recoveryPoint: whole.recoveryPoint
        ).write(to: path)
        #expect(throws: CheckpointError.self) {
            try fixture.run(output: folder.file("m.safetensors"), resuming: path)
        }
        #expect(try String(contentsOfFile: folder.file("diary.txt"), encoding: .utf8) == "my diary\n")
    }

    @Test("A truncated line of metrics does not prevent resuming", arguments: [1, 3, 9, 40])
    func tornMetrics(length: Int) throws {
        let folder = try TemporaryFolder()
        var fixture = fixture(steps: 20, rate: 0.01)
        fixture.metrics = folder.file("m.jsonl")
        let path = folder.file("m.last.safetensors")
        _ = try fixture.run(output: folder.file("m.safetensors"), stopAfter: 10)
        let whole = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8)
        _ = try folder.write(whole + whole.prefix(length), to: "m.jsonl")
        #expect(try fixture.run(output: folder.file("m.safetensors"), resuming: path).ending == .finished)
        let text = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8)
        #expect(text.hasPrefix(whole) && text.count > whole.count)
        #expect(try MetricsLine.lines(of: Data(text.utf8), name: "m").map(\.step).contains(20))
    }

    @Test("An event handler may read the training's record")
    func observer() throws {
        let folder = try TemporaryFolder()
        var fixture = fixture(steps: 120, rate: 60)
        (fixture.options.clip, fixture.checkpointEvery) = (1e6, 0)
        let data = try fixture.data()
        let model = try ModelConfiguration(hidden: 12, vocabularySize: data.vocabulary.count)
        var record = TrainingRecord()
        record.options = fixture.options
        var output = Trainer.Output(path: folder.file("m.safetensors"))
        output.checkpointEvery = 0
        nonisolated(unsafe) weak var watched: Trainer?
        var seen = 0
        let trainer = try Trainer(model, data: data, record: record, output: output, threads: 1) { _ in
            seen += (watched?.record.step ?? 0) >= 0 ? 1 : 0
        }
        watched = trainer
        #expect(try trainer.run() == .finished && seen > 120)
    }

    @Test("A training ends after the maximum number of recoveries, and its saved files are intact")
    func limit() throws {
        let folder = try TemporaryFolder()
        var fixture = fixture(steps: 50, rate: 1e300)
        fixture.options.optimizer = .sgd
        fixture.options.clip = 1e300
        fixture.options.maxRecoveries = 3
        let error = #expect(throws: TrainingError.self) { try fixture.run(output: folder.file("m.safetensors")) }
        guard case .diverged(_, _, recoveries: 3) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(
        "A training that recovers, stopped anywhere and resumed, ends like an uninterrupted one",
        arguments: [3, 120, 199])
    func resume(stop: Int) throws {
        let folder = try TemporaryFolder()
        var fixture = fixture(steps: 260, rate: 60)
        fixture.options.clip = 1e6
        fixture.options.evaluateEvery = 50
        let whole = try fixture.run(output: folder.file("a.safetensors")).trainer
        #expect(whole.record.recovery.count > 0)
        _ = try fixture.run(output: folder.file("b.safetensors"), stopAfter: stop)
        let parts = try fixture.run(
            output: folder.file("b.safetensors"), resuming: folder.file("b.last.safetensors")
        ).trainer
        #expect(whole.record.recovery == parts.record.recovery)
        for suffix in ["", ".last"] {
            let (a, b) = (
                try Checkpoint(contentsOf: folder.file("a\(suffix).safetensors"), withState: !suffix.isEmpty),
                try Checkpoint(contentsOf: folder.file("b\(suffix).safetensors"), withState: !suffix.isEmpty)
            )
            #expect(a.parameters.elements == b.parameters.elements && a.state?.lanes == b.state?.lanes)
            #expect(a.recoveryPoint?.parameters.elements == b.recoveryPoint?.parameters.elements)
        }
    }
}
