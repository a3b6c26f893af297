import CharacterModel
import CommandSupport
import Glibc
import RecurrentNetwork
import Reports
import Tokenization
import Training

extension Train {
    /// Prints on stderr what will be trained, on which text, and for how long.
    func announce(_ preparation: Preparation, _ trainer: Trainer, _ place: String?) throws {
        if output.resume == nil && output.from == nil { announceChoice(preparation, place) }
        let announcement = Announcement(preparation, trainer, threads: threads.count)
        for line in [place].compactMap(\.self) + (try announcement.lines) { StandardError.print(line) }
    }

    /// Prints the chosen options, as a complete command line.
    private func announceChoice(_ preparation: Preparation, _ place: String?) {
        var chosen = preparation.chosen(asked)
        if training.tune != nil && training.window == nil {
            chosen += OptionList.declared.window.words(in: preparation.record.options)
        }
        // The command then makes the same model on any number of processes.
        if place != nil && training.batch == nil {
            chosen += OptionList.declared.batch.words(in: preparation.record.options)
        }
        guard !chosen.isEmpty else { return }
        var given = Invocation.current.arguments
        if let flag = given.firstIndex(of: "--tune") { given.removeSubrange(flag...min(flag + 1, given.count - 1)) }
        given.removeAll { $0.hasPrefix("--tune=") }
        StandardError.print(
            "chosen: \(Invocation.current.line(of: "train")) \((given.map(quoted) + chosen).joined(separator: " "))")
    }
}

/// The messages before a training starts.
struct Announcement {
    private let preparation: Preparation
    private let trainer: Trainer
    private let threads: Int

    init(_ preparation: Preparation, _ trainer: Trainer, threads: Int) {
        self.preparation = preparation
        self.trainer = trainer
        self.threads = threads
    }

    var lines: [String] {
        get throws { try text + warnings + [origin, model, budget, expectation].compactMap(\.self) }
    }

    private var text: [String] {
        let (corpus, data) = (preparation.corpus, preparation.data)
        let unit = data.vocabulary.unit == .grapheme ? "characters" : "\(data.vocabulary.unit.rawValue)s"
        var lines = [
            "\(corpus.name): \(formatted(data.trainingSymbols + data.heldSymbols)) \(unit) to train on, "
                + "\(formatted(data.validationSymbols)) to validate, \(formatted(data.vocabulary.symbols.count)) distinct"
        ]
        if data.counted != nil {
            lines.append(
                data.heldSymbols == 0
                    ? "n-grams are counted too; too few \(unit) to learn how to mix both, so the usual way is taken"
                    : "n-grams are counted too; how both are mixed is learned from \(formatted(data.heldSymbols)) of the "
                        + "\(unit), which the network does not see")
        }
        guard data.vocabulary.records != nil else { return lines }
        lines.append(
            "\(formatted(data.trainingRecords)) records to train on, \(formatted(data.validationRecords)) to validate"
                + (data.repeatedRecords > 0
                    ? ", of which \(formatted(data.repeatedRecords)) are in the training text too" : ""))
        return lines
    }

    private var warnings: [String] {
        let data = preparation.data
        var lines: [String] = []
        if 20 * data.validationUnknowns > data.validationSymbols {
            lines.append(
                "warning: \(formatted(data.validationUnknowns)) of the \(formatted(data.validationSymbols)) validation "
                    + "symbols do not occur in the training part; is it a different kind of text?")
        }
        if data.vocabulary.symbols.count > 20_000 {
            lines.append(
                "warning: \(formatted(data.vocabulary.symbols.count)) distinct symbols make a large and slow model; "
                    + "--min-count 5 or --unit byte make it smaller")
        }
        return lines
    }

    private var origin: String? {
        guard let adaptation = preparation.adaptation else { return nil }
        return "starting from the weights of \(preparation.record.corpus.origin ?? "another model")"
            + (adaptation.dropsCounts
                ? "; its counts are of its own text, and are not taken over"
                    + (preparation.data.counted == nil ? " (--counts counts this one)" : "") : "")
    }

    private var model: String {
        let configuration = preparation.configuration
        let memory = Trainer.memory(
            configuration, options: trainer.record.options, restarts: preparation.data.restarts, threads: threads)
        return "\(configuration.cell.rawValue) \(configuration.layers) x \(configuration.hidden): "
            + "\(formatted(configuration.parameterCount)) parameters, about \(formatted(bytes: memory)) of memory, "
            + "\(threads) threads"
    }

    /// What to expect of a new model.
    private var expectation: String? {
        let (data, options) = (preparation.data, trainer.record.options)
        guard preparation.checkpoint == nil && preparation.adaptation == nil,
            let expected = Forecast(
                preparation.configuration, options: options, data: data, speed: preparation.speed, threads: threads)
        else { return nil }
        return "expecting roughly \(formatted(expected.bitsPerCharacter, decimals: 2)) bits per character "
            + "(\(formatted(expected.nats, decimals: 2)) nats per symbol) in the validation"
    }

    private var budget: String? {
        get throws {
            if trainer.hasEnded { return spent }
            // The budget covers all runs of a training, but not the time spent on tuning.
            let record = trainer.record
            if case .seconds(let limit) = record.options.budget {
                let (all, left) = (limit - record.tunedSeconds, limit - record.seconds)
                return record.seconds > record.tunedSeconds
                    ? "\(formatted(timeLeft: left)) of \(formatted(seconds: all)) left"
                    : "training for \(formatted(seconds: all))"
            }
            return try trainer.totalSteps.map { steps in
                let (all, left) = (steps - record.tunedSteps, steps - record.step)
                let time = formatted(seconds: try trainer.secondsPerStep() * Double(left))
                return record.step > record.tunedSteps
                    ? "\(formatted(left)) of \(formatted(all)) steps left, about \(time)"
                    : "\(formatted(left)) steps to go, about \(time)"
            }
        }
    }

    /// The message after a training has ended, with a command that continues it with twice the budget.
    private var spent: String {
        let (options, list) = (trainer.record.options, OptionList.declared)
        func twice<Value: Numeric & Comparable & OptionValue>(
            _ value: Value, _ option: TrainingOption<Value?>, unit: String = ""
        ) -> String {
            guard value < 1_000_000_000, option.allowed.contains(value * 2), let text = (value * 2).optionText else {
                return ""
            }
            return " --\(option.name) \(text)\(unit)"
        }
        let command = "\(Invocation.current.line(of: "train")) --resume \(quoted(preparation.plan.output.lastPath))"
        if trainer.isOutOfPatience, let patience = options.patience {
            return "\(formatted(patience)) validations without improvement ended this training; to continue: "
                + command + twice(patience, list.patience)
        }
        let (budget, more) =
            switch options.budget {
            case .steps(let steps):
                ("\(formatted(steps)) steps", twice(max(steps, trainer.record.step), list.steps))
            case .epochs(let epochs):
                ("\(formatted(epochs)) epochs", twice(max(epochs, trainer.record.epoch), list.epochs))
            case .seconds(let seconds):
                (
                    formatted(seconds: seconds),
                    twice(max(seconds, trainer.record.seconds.rounded(.up)), list.timeLimit, unit: "s")
                )
            }
        return "this training has spent its budget of \(budget); to continue: \(command)\(more)"
    }
}
