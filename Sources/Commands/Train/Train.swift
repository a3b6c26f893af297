import ArgumentParser
import CharacterModel
import Cluster
import CommandSupport
import Glibc
import Reports
import Tokenization
import Training

/// The `train` command: parse, call the training module, print.
public struct Train: LaunchedCommand {
    private static let name = Invocation.current.name(of: "train")

    public static let configuration = CommandConfiguration(
        commandName: Invocation.current.parserName(of: "train"),
        abstract: "Train a recurrent character model on a text.",
        discussion: """
            Give it a file, several, or a folder. It reads the text, trains for the budget, keeps the model that predicts \
            the held-out part best, and prints how to sample from it.

            EXAMPLES:
              \(name) poems.txt --time-limit 3m
              \(name) names.txt --records line --time-limit 1m
              \(name) poems.txt --tune 10m --time-limit 30m --report curves.html
              \(name) --resume checkpoints/poems.last.safetensors --time-limit 10m
              \(name) letters.txt --from checkpoints/novels.safetensors --time-limit 2m
            """,
        version: versionText)

    @Argument(
        help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    @OptionGroup(title: "Text") var text: TextOptions
    @OptionGroup(title: "Reading") var reading: ReadingOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Training") var training: TrainingFlags
    @OptionGroup(title: "Validation") var validation: ValidationOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Samples while it learns") var samples: SampleFlags
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    public init() {}

    /// The declared options that were given.
    var asked: TrainingOptions { TrainingOptions(parsed: text, reading, model, training, validation) }

    public func validate() throws {
        if text.unit == .byte && !reading.isEmpty {
            throw ValidationError("--unit byte reads raw bytes; drop --encoding, --on-invalid and --newlines")
        }
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

    /// Whether to draw only earlier trainings, without training.
    private var isReportOnly: Bool { files.isEmpty && output.resume == nil && !output.reportWith.isEmpty }

    public func run() throws {
        // Checked here and not in `validate`, so that an unknown option is reported first: it is the more likely
        // mistake.
        if files.isEmpty && output.resume == nil && !isReportOnly { throw ValidationError("name a text to train on") }
        if isReportOnly, let path = output.report {
            if isFollower { return }
            try refuseOverwriting(TextSource.sources(at: output.reportWith), with: [path])
            try drawReport(of: output.reportWith, to: path)
            if !output.quiet { StandardError.print("the curves are in \(quoted(path))") }
            return
        }
        try asRank(threads: threads.count) { try run(in: $0) }
    }

    /// Trains; on rank 0 if it is one of several.
    func lead(_ cluster: Cluster?) throws {
        var preparation = try prepare(with: cluster)
        let curves = try output.tensorboard.map { try TrainingCurves(folder: $0) }
        // If the curves cannot be written, warn, but do not stop the training.
        defer { do { try curves?.finish() } catch { StandardError.print("warning: \(error)") } }
        if let seconds = training.tune?.seconds { try tune(&preparation, for: seconds, on: cluster) }
        let progress = ProgressReport(
            quiet: output.quiet, samples: samples.areShown, data: preparation.data,
            foresees: training.tune == nil && preparation.canForesee)
        let report = try liveReport(preparation)
        let engines = Engines(cluster)
        let trainer = try Trainer(
            preparation.configuration, data: preparation.data, record: preparation.record,
            output: place(preparation), threads: threads.count, resuming: preparation.checkpoint,
            from: preparation.adaptation, engine: engines.make
        ) { event in
            progress.observe(event)
            curves?.observe(event)
            report?.observe(event)
        }
        if preparation.checkpoint != nil { report?.resume(from: trainer.record.metricsPath) }
        if !output.quiet { try announce(preparation, trainer, engines.place) }
        do { try run(trainer, preparation.plan.output, progress) } catch {
            // A page that is not written again must not say that it is.
            report?.finish(sample: nil)
            throw error
        }
        if !output.quiet, let waiting = engines.waiting { StandardError.print(waiting) }
        let result = TrainingResult(trainer.record, preparation.plan.output, progress.exact)
        try StandardOutput.write(output.format == .json ? try result.json() : result.text)
        guard let report else { return }
        let sample = samples.plan().text(of: preparation.plan.output.path, record: trainer.record)
        if report.finish(sample: sample), !output.quiet, let path = output.report {
            StandardError.print("the curves are in \(quoted(path))")
        }
    }

    /// Where a training saves, and what it writes while it learns.
    private func place(_ preparation: Preparation) -> Trainer.Output {
        var place = preparation.plan.output
        place.samples = samples.plan()
        // A report has them too.
        if output.report != nil { place.samples.atValidations = place.samples.every == nil }
        if output.quiet && output.report == nil { place.samples = SamplePlan() }
        return place
    }

    private func liveReport(_ preparation: Preparation) throws -> LiveReport? {
        try output.report.map { try LiveReport(path: $0, preparation, others: output.reportWith) }
    }

    /// Runs to the end. If it is stopped, prints how to resume and exits.
    private func run(_ trainer: Trainer, _ place: Trainer.Output, _ progress: ProgressReport) throws {
        // Until here there was nothing to save, and a signal ended the process as usual.
        Interruption.watch()
        defer { progress.finish() }
        do {
            guard try trainer.run(shouldStop: { Interruption.isRequested }) == .stopped else { return }
        } catch {
            progress.finish()
            if let step = trainer.savedStep {
                StandardError.print("the best model so far, of step \(step), is \(quoted(place.path))")
            }
            throw error
        }
        progress.finish()
        StandardError.print(
            "stopped; resume with: \(Invocation.current.line(of: "train")) --resume \(quoted(place.lastPath))")
        throw Exit(Interruption.exitCode)
    }
}
