import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Lines of metrics")
struct MetricsLineTests {
    private let step = StepReport(
        step: 3, epoch: 0.1, tokens: 3_072, seconds: 1.5, trainNats: 1.0 / 3, learningRate: 3e-05, gradientNorm: 0.25,
        tokensPerSecond: 1e5)
    private let validation = ValidationReport(
        step: 3, epoch: 0.1, seconds: 1.5, nats: 2.25, bitsPerCharacter: 3.25, isExact: true)
    private let recovery = RecoveryReport(
        step: 9, flaw: "the loss is not finite", point: 0, count: 2, learningRate: 0.5)

    @Test("Every kind of line is read back as it was written")
    func roundTrip() throws {
        let lines = [MetricsLine.step(step), .validation(validation), .recovery(recovery)]
        let text = lines.map(\.text).joined(separator: "\n") + "\n"
        #expect(try MetricsLine.lines(of: Data(text.utf8), name: "m") == lines)
        #expect(lines.allSatisfy { !$0.text.contains("\n") })
        var spoilt = step
        (spoilt.trainNats, spoilt.gradientNorm) = (.infinity, -.infinity)
        #expect(try MetricsLine.lines(of: Data(MetricsLine.step(spoilt).text.utf8), name: "m") == [.step(spoilt)])
    }

    @Test("The keys are the same in files of every version")
    func keys() throws {
        func keys(_ line: MetricsLine) throws -> Set<String> {
            let object = try JSONSerialization.jsonObject(with: Data(line.text.utf8))
            return Set(try #require(object as? [String: Any]).keys)
        }
        #expect(
            try keys(.step(step)) == [
                "step", "epoch", "tokens", "seconds", "train_nats", "learning_rate", "gradient_norm",
                "tokens_per_second",
            ])
        #expect(
            try keys(.validation(validation)) == [
                "step", "epoch", "seconds", "validation_nats", "validation_bits_per_character", "exact",
            ])
        #expect(try keys(.recovery(recovery)) == ["step", "recovery", "back_to_step", "learning_rate", "reason"])
        // A line as the first version wrote it.
        let old = """
            {"step":10,"epoch":0.05,"tokens":10240,"seconds":0.2,"train_nats":3.3,"learning_rate":0.003,\
            "gradient_norm":0.9,"tokens_per_second":905115.0}
            """
        guard case .step(let report) = try MetricsLine.lines(of: Data(old.utf8), name: "m")[0] else {
            Issue.record("another kind")
            return
        }
        #expect(report.step == 10 && report.gradientNorm == 0.9)
    }

    @Test("A line that is not a line of metrics is an error that names it")
    func others() {
        let good = MetricsLine.step(step).text
        for (text, line) in [("", nil), ("\n\n", nil), ("{}", 1), (good + "\nnonsense", 2), (good + "\n[1]\n", 2)] {
            let error = #expect(throws: MetricsError.self) { try MetricsLine.lines(of: Data(text.utf8), name: "m") }
            #expect(error?.line == line, "\(text)")
        }
        #expect(throws: MetricsError.self) {
            try MetricsLine.lines(of: Data(good.replacing("\"step\":3", with: "\"step\":-3").utf8), name: "m")
        }
    }
}
