import CharacterModel
import CommandSupport
import Foundation
import Reports
import Training

/// What a training says on stderr: one line that changes on a terminal, plain lines elsewhere.
final class ProgressReport {
    private let quiet: Bool
    private let symbolsPerCharacter: Double
    private var lastLine = Date.distantPast
    private var isLineOpen = false
    /// The exact validation, once there is one.
    private(set) var exact: ValidationReport?

    /// - Parameter data: whose characters the loss is told in.
    init(quiet: Bool, data: TrainingData) {
        self.quiet = quiet
        symbolsPerCharacter = Double(data.trainingSymbols) / Double(max(1, data.trainingCharacters))
    }

    func observe(_ event: TrainingEvent) {
        if case .validation(let report) = event, report.isExact { exact = report }
        guard !quiet else { return }
        switch event {
        case .step(let report): show(report)
        case .validation(let report) where !report.isExact:
            finish()
            StandardError.print(
                "step \(report.step): validation \(formatted(report.nats, decimals: 4)) nats, "
                    + "\(formatted(report.bitsPerCharacter, decimals: 3)) bits per character"
                    + (report.isBest ? ", the best so far" : ""))
        case .scoring(let symbols):
            finish()
            StandardError.print("scoring \(formatted(symbols)) symbols with the best model, one after the other")
        case .validation, .saved: break
        case .notSaved(_, let reason):
            finish()
            StandardError.print("warning: \(reason); training goes on, and it will be tried again")
        case .recovery(let report):
            finish()
            StandardError.print(
                "step \(report.step): \(report.flaw); back to step \(report.point) with a learning rate of "
                    + "\(report.learningRate) (recovery \(report.count) of \(report.limit))")
        case .fewerLanes(let wanted, let used):
            StandardError.print("the text is too short for \(wanted) lanes of a window each; using \(used)")
        }
    }

    /// Ends the line that changes.
    func finish() {
        if isLineOpen { StandardError.write("\n") }
        isLineOpen = false
    }

    /// A terminal is kept up to date; a log gets a line every few seconds.
    private func show(_ report: StepReport) {
        let now = Date()
        guard now.timeIntervalSince(lastLine) >= (StandardError.isTerminal ? 0.2 : 5) || report.progress >= 1 else {
            return
        }
        lastLine = now
        let left = report.progress > 0 ? report.seconds * (1 - report.progress) / report.progress : .infinity
        let line =
            "step \(report.step), epoch \(formatted(report.epoch, decimals: 2)): "
            + "\(formatted(report.trainNats / log(2) * symbolsPerCharacter, decimals: 3)) bits per character, "
            + "\(formatted(Int(report.tokensPerSecond))) symbols/s, \(formatted(seconds: left)) left"
        if StandardError.isTerminal {
            StandardError.write("\r\u{1B}[K\(line)")
            isLineOpen = true
        } else {
            StandardError.print(line)
        }
    }
}
