import CharacterModel
import CommandSupport
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Reports
import Tokenization
import Training

/// The page of a training: written again at each validation, so that it can be open while the training runs.
final class LiveReport {
    private let path: String
    private let title: String
    private var run: TrainingReport.Run
    private let others: [TrainingReport.Run]
    private var details = TrainingReport.Details()
    private var progress = 0.0
    /// Why it could not be written last time; said when it changes.
    private var failure: String?

    /// - Parameters:
    ///   - others: metrics files to draw beside it.
    init(path: String, _ preparation: Preparation, others: [String]) throws {
        self.path = path
        title = "Training \(fileName(preparation.plan.output.path))"
        run = TrainingReport.Run(name: fileName(preparation.plan.output.path), lines: [])
        self.others = try others.map(TrainingReport.Run.init(metrics:))
        details.settings = Self.settings(preparation)
    }

    private static func settings(_ preparation: Preparation) -> [(name: String, value: String)] {
        let (shape, data) = (preparation.configuration, preparation.data)
        let setup = TrainingSetup(configuration: shape, vocabulary: data.vocabulary, record: preparation.record)
        return [
            ("text", preparation.corpus.files.map { fileName($0.name) }.prefix(5).joined(separator: ", ")),
            (
                "symbols",
                "\(formatted(data.trainingSymbols)) to train on, \(formatted(data.validationSymbols)) to validate, "
                    + "\(formatted(data.vocabulary.symbols.count)) distinct"
            ),
            ("parameters", formatted(shape.parameterCount)),
        ] + optionRows(setup)
    }

    /// Begins with the curves of the training that is resumed, as they are at its checkpoint.
    func resume(from metrics: String?) { run.lines = metrics.flatMap { try? readMetrics($0) } ?? [] }

    func observe(_ event: TrainingEvent) {
        if let line = event.metricsLine { run.lines.append(line) }
        switch event {
        case .step(let report): progress = report.progress
        case .sample(let sample):
            details.samples.append((sample.step, sample.text))
            // The page stays small.
            if details.samples.count > 50 { details.samples.removeFirst() }
        case .validation(let report) where !report.isExact: write(isLive: true)
        default: break
        }
    }

    /// Writes the page for the last time.
    ///
    /// - Parameter sample: a text of the best model.
    /// - Returns: whether it is written.
    @discardableResult
    func finish(sample: TrainingSample?) -> Bool {
        if let sample { details.samples.append((sample.step, sample.text)) }
        return write(isLive: false)
    }

    /// A report that cannot be written does not stop a training.
    @discardableResult
    private func write(isLive: Bool) -> Bool {
        details.progress = isLive ? progress : nil
        let report = TrainingReport(title: title, [run] + others, details: details, date: today())
        do { try AtomicFile.replace(path, with: report.page()) } catch {
            if failure != error.description { StandardError.print("warning: \(error)") }
            failure = error.description
            return false
        }
        return true
    }
}

/// Draws metrics files without a training.
func drawReport(of metrics: [String], to path: String) throws {
    let runs = try metrics.map(TrainingReport.Run.init(metrics:))
    let title = runs.count == 1 ? "Training \(runs[0].name)" : "\(runs.count) trainings"
    try AtomicFile.replace(path, with: TrainingReport(title: title, runs, date: today()).page())
}

private func today() -> String {
    var (now, parts) = (time(nil), tm())
    localtime_r(&now, &parts)
    return String(unsafeUninitializedCapacity: 64) { text in
        text.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress!, $0.count, "%-d %B %Y, %H:%M", &parts) }
    }
}

extension TrainingReport.Run {
    /// - Throws: errors for a file that does not hold metrics.
    fileprivate init(metrics path: String) throws {
        let name = fileName(path)
        self.init(
            name: name.hasSuffix(".jsonl") && name.count > 6 ? String(name.dropLast(6)) : name,
            lines: try readMetrics(path))
    }
}
