import Foundation
import RecurrentNetwork
import TestSupport
import Testing

@testable import CharacterModel
@testable import Training

@Suite("Samples while training")
struct SampleWhileTrainingTests {
    private func train(_ fixture: TrainingFixture, _ name: String, in folder: TemporaryFolder) throws -> (
        samples: [TrainingSample], weights: [Float], nats: [Double]
    ) {
        var (samples, nats): ([TrainingSample], [Double]) = ([], [])
        let path = folder.file(name + ".safetensors")
        _ = try fixture.run(output: path) { event in
            if case .sample(let sample) = event { samples.append(sample) }
            if case .validation(let report) = event { nats.append(report.nats) }
        }
        return (samples, try Checkpoint(contentsOf: path).parameters.elements, nats)
    }

    @Test(
        "They change no result, are the same for the same seed, and come when they are due",
        arguments: CellKind.allCases)
    func laws(cell: CellKind) throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        (fixture.cell, fixture.embedding, fixture.dropout) = (cell, 6, 0.2)
        fixture.options.budget = .steps(30)
        fixture.options.evaluateEvery = 10
        let plain = try train(fixture, "plain", in: folder)
        #expect(plain.samples.isEmpty)
        fixture.samples.atValidations = true
        fixture.samples.prompt = "The "
        fixture.samples.length = 40
        let validated = try train(fixture, "a", in: folder)
        #expect(validated.weights == plain.weights && validated.nats == plain.nats)
        #expect(validated.samples.map(\.step) == [10, 20, 30])
        #expect(validated.samples.allSatisfy { $0.text.hasPrefix("The ") && $0.text.count == 44 })
        #expect(Set(validated.samples.map(\.text)).count == 3)
        #expect(try train(fixture, "b", in: folder).samples == validated.samples)
        // By time: after each step, if the interval is short.
        fixture.samples.atValidations = false
        fixture.samples.every = 1e-9
        let timed = try train(fixture, "c", in: folder)
        #expect(timed.weights == plain.weights && timed.samples.map(\.step) == Array(1...30))
        // Of the state of that step: the text of the last step is that of the last model.
        let last = try LanguageModel(contentsOf: folder.file("c.last.safetensors"))
        #expect(fixture.samples.text(of: last, seed: fixture.options.seed, step: 30) == timed.samples.last?.text)
        fixture.samples.every = 1e9
        #expect(try train(fixture, "d", in: folder).samples.isEmpty)
    }

    @Test("Temperature 0 is the likeliest text; a record ends a sample; a prompt that is not known is read")
    func texts() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(20)
        _ = try train(fixture, "m", in: folder)
        let model = try LanguageModel(contentsOf: folder.file("m.safetensors"))
        var plan = SamplePlan()
        (plan.prompt, plan.temperature, plan.length) = ("☃", 0, 20)
        let text = try #require(plan.text(of: model, seed: 1, step: 1))
        #expect(text.hasPrefix("☃") && plan.text(of: model, seed: 2, step: 9) == text)
        plan.length = -1
        #expect(plan.text(of: model, seed: 1, step: 1) == "☃")
    }

    @Test("Time that is taken out is not counted")
    func time() {
        var record = TrainingRecord()
        record.seconds = 50
        record.options.budget = .seconds(100)
        var meter = BudgetMeter(record, windows: 1)
        meter.start(after: record)
        let before = meter.seconds
        meter.pause(for: 20)
        #expect(before >= 50 && meter.seconds >= 30 && meter.seconds < before - 1)
    }
}
