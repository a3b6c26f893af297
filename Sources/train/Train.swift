import ArgumentParser
import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// The `train` command: parse, call the model module, print.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a recurrent character model on a text.",
        discussion: """
            Give it a file, several, or a folder. It reads the text, trains for the budget, keeps the model that predicts \
            the held-out part best, and says how to sample from it.
            """,
        version: escribaVersion)

    @Argument(help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"))
    var files: [String] = []

    @OptionGroup(title: "Text") var text: TextOptions
    @OptionGroup(title: "Reading") var reading: ReadingOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Training") var training: TrainingFlags
    @OptionGroup(title: "Validation") var validation: ValidationOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    func validate() throws {
        if text.unit == .byte && !reading.isEmpty {
            throw ValidationError("--unit byte takes bytes as they are; drop --encoding, --on-invalid and --newlines")
        }
        if output.report != nil && output.metrics == nil && !drawsOnly && output.resume == nil {
            throw ValidationError("--report draws what --metrics writes; add --metrics FILE")
        }
        if files.isEmpty && output.resume == nil && !drawsOnly { throw ValidationError("name a text to train on") }
        if training.tune != nil && (output.resume != nil || output.from != nil) {
            throw ValidationError("--tune chooses the shape of a new model; drop --resume or --from")
        }
        if training.tune != nil && validation.validationFraction == 0 {
            throw ValidationError("--tune needs a validation; drop --validation-fraction 0")
        }
        if validation.patience != nil && validation.validationFraction == 0 {
            throw ValidationError("--patience needs a validation; drop --validation-fraction 0")
        }
    }

    /// Whether earlier trainings are drawn, and none is made.
    private var drawsOnly: Bool { files.isEmpty && output.resume == nil && !output.reportWith.isEmpty }

    func run() throws {
        if drawsOnly, let path = output.report {
            try refuseOverwriting(TextSource.sources(at: output.reportWith), with: [path])
            return try draw([], to: path)
        }
        var checkpoint = try output.resume.map { try Checkpoint(contentsOf: $0, withState: true) }
        if let checkpoint, let path = output.resume { warnOfOtherUnicode(checkpoint.vocabulary, path) }
        let origin = try output.from.map { try Checkpoint(contentsOf: $0) }
        if let origin, let path = output.from { warnOfOtherUnicode(origin.vocabulary, path) }
        let plan = try checkpoint.map { try Plan(resuming: $0, self) } ?? Plan(new: self, from: origin)
        let texts = plan.files + [plan.record.corpus.validationSource].compactMap(\.self)
        try refuseOverwriting(
            TextSource.sources(at: texts + output.reportWith) + [output.from].compactMap { $0.map { .file(path: $0) } },
            with: [plan.output.path, plan.output.lastPath] + otherOutputs(plan))
        if output.report != nil && plan.output.metricsPath == nil && plan.record.metricsPath == nil {
            throw UsageError("--report draws what --metrics writes; add --metrics FILE")
        }
        // Made and read before the training, so that a mistake costs nothing.
        if let path = output.report { try proveWritable(path) }
        if !output.reportWith.isEmpty { _ = try TrainingReport(reading: output.reportWith) }
        func read(_ files: [String]) throws -> Corpus {
            let corpus = try Corpus(
                arguments: files, unit: plan.unit, normalization: plan.normalization, format: plan.record.corpus.format,
                records: plan.records, cache: reading.cache)
            if !output.quiet { corpus.reportReading() }
            return corpus
        }
        let corpus = try read(plan.files)
        let other = try plan.record.corpus.validationSource.map { try read([$0]) }
        let data = try TrainingData(
            corpus, validation: other, fraction: plan.record.corpus.validationFraction,
            minimumCount: plan.record.corpus.minimumCount, vocabulary: checkpoint?.vocabulary,
            extending: origin?.vocabulary)
        if data.validationSymbols == 0 && validation.validationFraction != 0 && plan.records != nil {
            guard validation.patience == nil else {
                throw UsageError("--patience needs a validation, and no record fell into it; give --validation FILE")
            }
            StandardError.print(
                "warning: no record fell into the validation part; give --validation FILE, or more records")
        }
        var record = try plan.record.reading(corpus, validation: other, resumes: checkpoint != nil)
        try record.options.validate()
        let recommendation = Recommendation(
            cell: model.cell ?? origin?.configuration.cell ?? .gru, symbols: data.trainingSymbols,
            vocabularySize: data.vocabulary.count, options: record.options)
        if checkpoint == nil {
            record.options.learningRate = training.learningRate ?? recommendation.learningRate
            record.options.warmup = training.warmup ?? recommendation.warmup
        }
        let adaptation = try origin.map {
            try Adaptation(
                $0, to: data.vocabulary, dropout: model.dropout,
                weightDropout: model.weightDropout, seed: plan.record.options.seed)
        }
        var configuration =
            try checkpoint?.configuration ?? adaptation?.configuration
            ?? model.configuration(vocabularySize: data.vocabulary.count, recommendation)
        try refuseWhatCannotFit(configuration, record.options, data)
        var choice = TuningCandidate(
            configuration: configuration, learningRate: record.options.learningRate, window: record.options.window)
        let curves = try output.tensorboard.map { try Curves(folder: $0) }
        defer { curves?.finish() }
        if let seconds = training.tune?.seconds {
            let tuned = try tune(choice, for: seconds, data: data, record: record, output: plan.output)
            (choice, configuration, checkpoint) = (tuned.candidate, tuned.candidate.configuration, tuned.checkpoint)
            record = tuned.record
        }

        let progress = ProgressReport(
            quiet: output.quiet,
            symbolsPerCharacter: Double(data.trainingSymbols) / Double(max(1, data.trainingCharacters)))
        let trainer = try Trainer(
            configuration, data: data, record: record, output: plan.output, threads: threads.count,
            resuming: checkpoint, from: adaptation
        ) { event in
            progress.observe(event)
            curves?.observe(event)
        }
        if !output.quiet && output.resume == nil && origin == nil { announce(choice, record.options) }
        if !output.quiet { announce(corpus, data, configuration, trainer) }
        // Until here there was nothing to save, and a signal ended the process as usual.
        Interruption.watch()
        let ending: Trainer.Ending
        do { ending = try trainer.run { Interruption.isRequested } } catch {
            progress.finish()
            if let step = trainer.savedStep {
                StandardError.print("the best model so far, of step \(step), is \(quoted(plan.output.path))")
            }
            throw error
        }
        progress.finish()
        guard ending == .finished else {
            StandardError.print("stopped; go on with: train --resume \(quoted(plan.output.lastPath))")
            throw Exit(Interruption.exitCode)
        }
        try StandardOutput.write(summary(plan.output.path, trainer.record, progress.exact))
        // A picture that is lost is worth a word.
        if let path = output.report {
            do { try draw([trainer.record.metricsPath].compactMap(\.self), to: path) } catch {
                StandardError.print("warning: \(error)")
            }
        }
    }

    /// Whether a training of a shape fits in the memory that is free.
    func fits(_ configuration: ModelConfiguration, _ options: TrainingOptions, _ data: TrainingData) -> Bool {
        let needed = Trainer.memory(configuration, options: options, restarts: data.restarts)
        return availableMemory().map { needed <= $0 } ?? true
    }

    /// Memory is promised more easily than it is had: a model larger than what is free would end in the dark.
    private func refuseWhatCannotFit(
        _ configuration: ModelConfiguration, _ options: TrainingOptions, _ data: TrainingData
    ) throws {
        try options.validate()
        let needed = Trainer.memory(configuration, options: options, restarts: data.restarts)
        guard let free = availableMemory(), needed > free else { return }
        throw UsageError(
            "training this model takes \(formatted(bytes: needed)) and \(formatted(bytes: free)) of memory are free; "
                + "lower --hidden, --layers, --batch or --window")
    }

    /// What was chosen, as the command line that says it all.
    private func announce(_ choice: TuningCandidate, _ options: TrainingOptions) {
        var chosen = model.missingFlags(choice.configuration)
        if training.learningRate == nil { chosen.append("--learning-rate \(choice.learningRate)") }
        if training.warmup == nil { chosen.append("--warmup \(options.warmup)") }
        if training.tune != nil && training.window == nil { chosen.append("--window \(choice.window)") }
        guard !chosen.isEmpty else { return }
        var given = Array(CommandLine.arguments.dropFirst())
        if let flag = given.firstIndex(of: "--tune") { given.removeSubrange(flag...min(flag + 1, given.count - 1)) }
        given.removeAll { $0.hasPrefix("--tune=") }
        StandardError.print("chosen: train \((given.map(quoted) + chosen).joined(separator: " "))")
    }

    /// What will be trained on what, and how long it will take.
    private func announce(
        _ corpus: Corpus, _ data: TrainingData, _ configuration: ModelConfiguration, _ trainer: Trainer
    ) {
        let unit = data.vocabulary.unit == .grapheme ? "characters" : "\(data.vocabulary.unit.rawValue)s"
        StandardError.print(
            "\(corpus.name): \(formatted(data.trainingSymbols)) \(unit) to train on, "
                + "\(formatted(data.validationSymbols)) to validate, \(formatted(data.vocabulary.symbols.count)) distinct"
        )
        if data.vocabulary.records != nil {
            StandardError.print(
                "\(formatted(data.trainingRecords)) records to train on, \(formatted(data.validationRecords)) to validate"
                    + (data.repeatedRecords > 0
                        ? ", of which \(formatted(data.repeatedRecords)) stand in the training text too" : ""))
            if let separator = data.vocabulary.records, data.trainingRecords + data.validationRecords < 2 {
                StandardError.print(
                    "warning: \(separator.name.debugDescription) separates no records in this text; check --records")
            }
        }
        if 20 * data.validationUnknowns > data.validationSymbols {
            StandardError.print(
                "warning: \(formatted(data.validationUnknowns)) of the \(formatted(data.validationSymbols)) symbols that "
                    + "validate do not occur in the training part, as if they were of another kind of text")
        }
        if data.vocabulary.symbols.count > 20_000 {
            StandardError.print(
                "warning: \(formatted(data.vocabulary.symbols.count)) distinct symbols make a large and slow model; "
                    + "--min-count 5 or --unit byte make it smaller")
        }
        if let path = output.from {
            StandardError.print("beginning with the weights of \(path)")
        }
        let memory = Trainer.memory(configuration, options: trainer.record.options, restarts: data.restarts)
        StandardError.print(
            "\(configuration.cell.rawValue) \(configuration.layers) x \(configuration.hidden): "
                + "\(formatted(configuration.parameterCount)) parameters, about \(formatted(bytes: memory)) of memory, "
                + "\(threads.count) threads")
        if trainer.hasEnded {
            let what = trainer.isOutOfPatience ? "--patience" : "budget"
            StandardError.print("this training has spent its \(what); give a larger one to go on")
        } else if case .seconds(let limit) = trainer.record.options.budget {
            StandardError.print("training for \(formatted(seconds: limit - trainer.record.seconds))")
        } else if let steps = trainer.totalSteps {
            let left = steps - trainer.record.step
            let time = formatted(seconds: trainer.secondsPerStep() * Double(left))
            StandardError.print("\(formatted(left)) steps to go, about \(time)")
        }
    }

    private func summary(_ path: String, _ record: TrainingRecord, _ exact: ValidationReport?) -> String {
        let figures =
            exact.map {
                "validation: \(formatted($0.nats, decimals: 4)) nats per symbol, "
                    + "\(formatted($0.bitsPerCharacter, decimals: 3)) bits per character (step \($0.step))"
            } ?? "no validation"
        return """
            model: \(path)
            \(figures)
            try: sample \(quoted(path)) --temperature 0.8

            """
    }
}

/// What Linux says can be used without swapping, in bytes.
private func availableMemory() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
        let kilobytes = Double(line.split(separator: " ")[1])
    else { return nil }
    return kilobytes * 1_024
}

/// A path as a shell takes it.
func quoted(_ path: String) -> String {
    let plain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
    return plain ? path : "'" + path.replacingOccurrences(of: "'", with: "'\\''") + "'"
}

@main
enum Main {
    static func main() { Train.runAndExit() }
}
