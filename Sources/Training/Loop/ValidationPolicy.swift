import CharacterModel
import Concurrency
import LinearAlgebra
import RealModule
import RecurrentNetwork

/// Decides when to validate, and evaluates the results.
struct ValidationPolicy {
    private let text: EncodedText?
    private let knowingNothing: Double
    private let characters: Int
    private let windows: Int
    /// The time spent on validation in this run, and on the last validation.
    private var spent = (all: 0.0, last: 0.0)
    /// When the last validation ended, in the record's seconds.
    private var lastEnded: Double
    /// The step of the last validation in this run.
    private(set) var lastStep = -1

    /// - Parameter windows: the number of windows per epoch.
    init(_ data: TrainingData, _ record: TrainingRecord, windows: Int) {
        text = data.validation
        let symbols = Double(max(1, data.validationSymbols))
        knowingNothing = .log(Double(data.vocabulary.count)) + (data.validation?.spellingNats ?? 0) / symbols
        characters = data.validationCharacters
        self.windows = windows
        lastEnded = record.seconds
    }

    /// Whether there is a validation text.
    var isPossible: Bool { text != nil }

    /// - Parameter before: the budget's progress when the last step began.
    func isDue(_ record: TrainingRecord, _ budget: BudgetMeter, since before: Double) -> Bool {
        guard let text else { return false }
        if let every = record.options.evaluateEvery { return record.step % every == 0 }
        guard let tenth = budget.tenth, !budget.isSpent(record) else {
            return Int(budget.progress(record) * 10) > Int(before * 10)
        }
        // Validation may take a tenth of a time limit; the final one always runs. Scoring a symbol takes a third of the
        // arithmetic of training on it.
        let perSymbol = record.seconds / Double(max(1, record.tokens)) / 3
        let next = spent.last > 0 ? spent.last : perSymbol * Double(text.count)
        return record.seconds - lastEnded >= tenth && spent.all + next <= 0.1 * record.seconds
    }

    /// Mean nats per symbol, in lanes; nil if cancelled.
    func score(
        _ engine: any Engine<Float>, mixing mixture: CountMixture?, using workers: Workers,
        isCancelled: @Sendable () -> Bool
    ) -> Double? {
        guard let text else { return nil }
        return engine.withNetwork { $0.scoreInLanes(text, mixing: mixture, using: workers, isCancelled: isCancelled) }
            .map { $0 / Double(text.count) }
    }

    /// Adds a validation to the record; returns whether it is the best.
    mutating func take(_ nats: Double, began: Double, into record: inout TrainingRecord) -> Bool {
        // A model far worse than an untrained one is exploding and must not replace a better one.
        let isSane = record.isFinished || (record.recovery.monitor.isCalm && nats < 2 * knowingNothing)
        let isBest = isSane && record.bestValidation.map { nats < $0 } ?? true
        record.validations += 1
        record.validationsSinceBest = isBest ? 0 : record.validationsSinceBest + 1
        if isBest { (record.bestValidation, record.bestStep) = (nats, record.step) }
        lastStep = record.step
        spent.last = now() - began
        spent.all += spent.last
        lastEnded = record.seconds
        return isBest
    }

    /// Forgets that the step has been validated, because it will be repeated.
    mutating func goBack() { lastStep = -1 }

    func report(
        _ nats: Double, _ record: TrainingRecord, isExact: Bool, isBest: Bool, progress: Double = 1
    ) -> ValidationReport {
        let step = isExact ? record.bestStep ?? record.step : record.step
        let total = nats * Double(text?.count ?? 0)
        return ValidationReport(
            step: step, epoch: Double(step) / Double(windows), seconds: record.seconds, nats: nats,
            bitsPerCharacter: total / .log(2) / Double(max(1, characters)), isExact: isExact, isBest: isBest,
            progress: progress)
    }
}
