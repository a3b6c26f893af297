import CharacterModel
import CommandSupport
import FoundationEssentials
import Glibc
import Reports
import Training

/// The messages of a training on stderr: one line that is updated on a terminal, plain lines elsewhere.
final class ProgressReport {
    private let quiet: Bool
    private let showsSamples: Bool
    private let symbolsPerCharacter: Double
    private var line: ProgressLine
    private var lastLine = Date.distantPast
    private var isLineOpen = false
    /// The seconds and the spent part of the budget at this run's first report.
    private var start: (seconds: Double, progress: Double)?
    /// Whether a validation tells what the end should be.
    private let foresees: Bool
    private let isMixed: Bool
    /// The exact validation, once there is one.
    private(set) var exact: ValidationReport?

    /// - Parameter data: whose characters the loss is reported in.
    init(quiet: Bool, samples: Bool, data: TrainingData, foresees: Bool = false) {
        (self.quiet, showsSamples, self.foresees) = (quiet, samples, foresees)
        isMixed = data.counted != nil
        symbolsPerCharacter = Double(data.trainingSymbols) / Double(max(1, data.trainingCharacters))
        line = ProgressLine(symbolsPerCharacter: symbolsPerCharacter, isColored: Terminal.error.isColored)
    }

    func observe(_ event: TrainingEvent) {
        if case .validation(let report) = event, report.isExact { exact = report }
        if let word = Self.message(for: event) {
            finish()
            StandardError.print(word)
        }
        guard !quiet else { return }
        switch event {
        case .step(let report): show(report)
        case .validation(let report) where !report.isExact:
            let end = expectation(after: report)
            line.add(report, expecting: end)
            // The live line shows it.
            guard !Terminal.error.isInteractive else { return }
            StandardError.print(
                "step \(report.step): validation \(formatted(report.bitsPerCharacter, decimals: 3)) bits per character"
                    + (report.isBest ? ", the best so far" : "")
                    + (end.map { "; expecting about \(formatted($0, decimals: 2)) bits at the end" } ?? ""))
        case .scoring(let symbols):
            finish()
            StandardError.print("scoring \(formatted(symbols)) symbols with the best model, one by one")
        case .sample(let sample):
            guard showsSamples else { return }
            finish()
            StandardError.print(Self.quotation(sample))
        case .validation, .saved, .kept, .keptMetrics, .unfairChoice: break
        case .notSaved(_, let reason):
            finish()
            StandardError.print("warning: \(reason); training continues, and will try again")
        case .recovery(let report):
            finish()
            StandardError.print(
                "step \(report.step): \(report.flaw); back to step \(report.point) with a learning rate of "
                    + "\(report.learningRate) (recovery \(report.count) of \(report.limit))")
        case .otherKernels(let before, let now):
            StandardError.print(
                "warning: the previous run used \(before) kernels, this one uses \(now); it continues, but not "
                    + "with the same bits")
        case .fewerLanes(let wanted, let used):
            StandardError.print("the text is too short for \(wanted) lanes of a window each; using \(used)")
        }
    }

    /// The message for an event that is printed even with `--quiet`.
    static func message(for event: TrainingEvent) -> String? {
        switch event {
        case .kept(let path): "the earlier model is kept as \(quoted(path))"
        case .keptMetrics(let path): "the earlier metrics are kept as \(quoted(path))"
        case .unfairChoice(let steps, let seconds):
            "warning: a candidate had only \(formatted(steps)) \(steps == 1 ? "step" : "steps") in the first round, "
                + "too few to compare; give --tune \(Int(min(1e9, seconds.rounded(.up))))s or more"
        default: nil
        }
    }

    /// The bits per character that the training should end at, after a validation.
    private func expectation(after report: ValidationReport) -> Double? {
        guard foresees && report.isBest && report.nats > 0 else { return nil }
        return Forecast.end(after: report.nats, progress: report.progress, isMixed: isMixed)
            .map { $0 * report.bitsPerCharacter / report.nats }
    }

    /// A sample, set apart from the messages; control characters cannot reach the terminal.
    static func quotation(_ sample: TrainingSample) -> String {
        let lines = sample.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return (["step \(sample.step) writes:"] + lines.map { "  | " + printable(String($0)) })
            .joined(separator: "\n")
    }

    /// Ends the line that is being updated.
    func finish() {
        if isLineOpen { StandardError.write("\n") }
        isLineOpen = false
    }

    /// Seconds to the end of the budget, at the pace of this run; nil at its first report, and at the end.
    func timeLeft(after report: StepReport) -> Double? {
        let start = start ?? (report.seconds, report.progress)
        self.start = start
        let gone = report.progress - start.progress
        guard gone > 0 && report.progress < 1 else { return nil }
        return (report.seconds - start.seconds) * (1 - report.progress) / gone
    }

    /// A terminal is updated at once; a log gets a line every few seconds.
    private func show(_ report: StepReport) {
        let left = timeLeft(after: report)
        let now = Date()
        let isLive = Terminal.error.isInteractive
        guard now.timeIntervalSince(lastLine) >= (isLive ? 0.2 : 5) || report.progress >= 1 else { return }
        lastLine = now
        if isLive {
            let text = line.text(report, secondsLeft: left, width: Terminal.error.width)
            StandardError.write("\r\u{1B}[K\(text)")
            isLineOpen = true
            return
        }
        StandardError.print(
            "step \(report.step), epoch \(formatted(report.epoch, decimals: 2)): "
                + "\(formatted(report.trainNats / log(2) * symbolsPerCharacter, decimals: 3)) bits per character, "
                + "\(formatted(Int(report.tokensPerSecond))) symbols/s"
                + (left.map { ", \(formatted(timeLeft: $0)) left" } ?? ""))
    }
}
