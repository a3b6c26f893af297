import ArgumentParser
import CommandSupport

/// The options for the output of a training.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

struct OutputOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            The best model; the resumable state is saved beside it. An existing model is kept under a numbered name. \
            (default: checkpoints/NAME.safetensors)
            """, completion: .file())
    var output: String?

    @Flag(help: "Overwrites an existing model.")
    var overwrite = false

    @Option(
        parsing: .unconditional, help: "Time between saves of the resumable state: 100ms, 90s, 3m. (default: 60s)",
        transform: CommandSupport.Duration.init(parsing:))
    var checkpointEvery: CommandSupport.Duration?

    @Option(
        parsing: .unconditional,
        help: "Resumes from a NAME.last.safetensors, with its options. The budget counts all runs together.",
        completion: .file())
    var resume: String?

    @Option(
        parsing: .unconditional,
        help: """
            Starts a new training from the weights of a model, with its shape and symbols; new symbols are added to \
            them.
            """, completion: .file())
    var from: String?

    @Option(parsing: .unconditional, help: "Writes losses and rates as JSON, one object per line.", completion: .file())
    var metrics: String?

    @Option(
        parsing: .unconditional,
        help: "Writes curves, settings and samples as a page for the browser, again at each validation.",
        completion: .file())
    var report: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Another metrics file to draw into the report; may be repeated. Without a text nothing is trained.",
            valueName: "metrics"), completion: .file())
    var reportWith: [String] = []

    @Option(parsing: .unconditional, help: "A folder for the TensorBoard curves.", completion: .directory)
    var tensorboard: String?

    @Option(parsing: .unconditional, help: "Format of the result on the standard output: text, or one JSON object.")
    var format = ResultFormat.text

    @Option(parsing: .unconditional, help: "Steps between lines of metrics. (default: 10)")
    var logEvery: Int?

    @Flag(help: "Adds the gradient noise scale to the metrics: the batch above which more lanes help little.")
    var noiseScale = false

    @Flag(help: "Prints only errors and the result.")
    var quiet = false

    func validate() throws {
        if from != nil && resume != nil { throw ValidationError("--from and --resume exclude each other; give one") }
        if let metrics, metrics.hasSuffix(".safetensors") {
            throw ValidationError("--metrics \(metrics) is the name of a model; name another file")
        }
        if let report, report.hasSuffix(".safetensors") || report == metrics || reportWith.contains(report) {
            throw ValidationError("--report \(report) is the name of another file; name a new one")
        }
        if report == nil && !reportWith.isEmpty { throw ValidationError("--report-with needs --report; add it") }
        if noiseScale && metrics == nil && report == nil && tensorboard == nil && resume == nil {
            throw ValidationError("--noise-scale writes into the metrics; add --metrics FILE")
        }
        if let logEvery, logEvery < 1 { throw ValidationError("--log-every is \(logEvery); it must be at least 1") }
        if let output, !output.hasSuffix(".safetensors") || output.hasSuffix(".last.safetensors") {
            throw ValidationError("--output \(output) must end in .safetensors, and not in .last.safetensors")
        }
    }
}
