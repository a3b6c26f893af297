import ArgumentParser
import CharacterModel
import CommandSupport
import Reports
import Tokenization

/// The `inspect` command: parse, call the model module, print.
public struct Inspect: ParsableCommand {
    private static let name = Invocation.current.name(of: "inspect")

    public static let configuration = CommandConfiguration(
        commandName: Invocation.current.parserName(of: "inspect"),
        abstract: "Show what a network has learned from a text.",
        discussion: """
            Memory: how much the model gains from looking further back. Gradient flow: how far back a prediction can teach. \
            Gates: how often each is shut or open, and how long each unit remembers. Units: which ones tell quotations, \
            brackets, words and lines.

            EXAMPLES:
              \(name) checkpoints/poems other.txt
              \(name) checkpoints/poems other.txt --html inside.html --baseline poems.txt
              \(name) checkpoints/poems other.txt --unit 37
              \(name) checkpoints/poems other.txt --states states.safetensors
              \(name) checkpoints/poems other.txt --untrained --scale-recurrent 3
              \(name) checkpoints/names names.txt --lags 16
            """,
        version: versionText)

    @Argument(help: "A model made by train.", completion: .file())
    var checkpoint: String

    @Argument(
        help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    @Option(parsing: .unconditional, help: "Tables to read, or JSON with every figure.")
    var format = Format.table

    @Option(
        parsing: .unconditional,
        help: "Writes a page for the browser: all figures as curves, and the text coloured by what units do.",
        completion: .file())
    var html: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Prints the text, coloured by the state of a unit, and nothing else. Units and layers count from 0: 37, or 1:37 for the second layer.",
            valueName: "unit"))
    var unit: UnitArgument?

    @Option(
        parsing: .unconditional,
        help: "Writes states, gates and losses at every symbol, as .safetensors for other tools, and nothing else.",
        completion: .file())
    var states: String?

    @Option(
        parsing: .unconditional,
        help: "Compares the memory with that of n-grams counted in a training text, a file or a folder.",
        completion: .file())
    var baseline: String?

    @Option(parsing: .unconditional, help: "The longest lag of the gradient flow, in symbols.")
    var lags = 256

    @Flag(help: "Measures only the gradient flow, of an untrained model of the same shape, with its seed.")
    var untrained = false

    @Option(parsing: .unconditional, help: "Another seed for --untrained. (default: the model's)")
    var seed: UInt64?

    @Option(
        parsing: .unconditional,
        help: "Measures only the gradient flow, with the recurrent weights multiplied. (default: 1)")
    var scaleRecurrent: Double?

    @OptionGroup(title: "Reading") var reading: ReadingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    public init() {}

    public func validate() throws {
        guard (0...4_096).contains(lags) else { throw ValidationError("--lags is \(lags); it must be from 0 to 4096") }
        if seed != nil && !untrained { throw ValidationError("--seed needs --untrained; add it") }
        if let scaleRecurrent, !(scaleRecurrent > 0 && scaleRecurrent.isFinite) {
            throw ValidationError("--scale-recurrent is \(scaleRecurrent); it must be above 0")
        }
        if let html, html.hasSuffix(".safetensors") {
            throw ValidationError("--html \(html) is the name of a model; name another file")
        }
        if let states, !states.hasSuffix(".safetensors") {
            throw ValidationError("--states \(states) must end in .safetensors")
        }
        let others = html != nil || baseline != nil || untrained || scaleRecurrent != nil || format == .json
        if baseline != nil && isFlowOnly {
            throw ValidationError(
                "--baseline is for the memory of the trained model; drop it, or --untrained and --scale-recurrent")
        }
        for (flag, isGiven) in [("--unit", unit != nil), ("--states", states != nil)] where isGiven && others {
            throw ValidationError("\(flag) measures nothing; drop the other options")
        }
        if unit != nil && states != nil { throw ValidationError("--unit and --states exclude each other; give one") }
    }

    public func run() throws {
        if files.isEmpty { throw ValidationError("name a text to inspect the model with") }
        let model = try LanguageModel(reading: checkpoint)
        let path = LanguageModel.path(of: checkpoint)
        let weights = try weights(of: model)
        let corpus = try reading.corpus(files, for: model)
        if let unit { return try show(unit, of: model, over: corpus) }
        let texts = try TextSource.sources(at: files + [baseline].compactMap(\.self))
        try refuseOverwriting(texts + [.file(path: path)], with: [html, states])
        if let states {
            guard StateExport.isReplaceable(states) else {
                throw UsageError("\(states) is not a file of states; name another file")
            }
            try checkWritable(states)
            return try write(states, of: model, over: corpus)
        }
        if let html { try checkWritable(html) }
        let report = try measure(model, path, corpus, weights)
        if let html {
            StandardError.print("colouring the text")
            let text = try isFlowOnly ? nil : UnitText(of: model, over: corpus, units: report.units)
            let page = InspectionPage(model, title: fileName(path), report: report.report, text: text)
            try AtomicFile.replace(html, with: page.page())
        }
        try StandardOutput.write(format == .json ? try report.report.json() : report.report.table())
        if let html { StandardError.print("the page is \(quoted(html))") }
    }

    /// Of other weights than the model's, only the gradient flow is measured.
    private var isFlowOnly: Bool { untrained || scaleRecurrent != nil }

    private func measure(
        _ model: LanguageModel, _ path: String, _ corpus: Corpus, _ weights: GradientFlowWeights
    ) throws -> (report: InspectionReport, units: [TellingUnit]) {
        let isTrainingText = model.training?.corpus.sha256 == corpus.sha256
        if isTrainingText && !isFlowOnly {
            StandardError.print(
                "warning: this is the text the model was trained on; it knows other texts less well")
        }
        let counted = try baseline.map { try reading.baseline($0, for: model, toScore: corpus).memory(of: corpus) }
        let progress = StageProgress()
        let memory =
            try isFlowOnly
            ? nil : model.memory(of: corpus, threads: threads.count) { progress.report("measuring memory", $0) }
        progress.report("following gradients")
        let flow = try model.gradientFlow(
            over: corpus, longestLag: lags, weights: weights, threads: threads.count)
        if flow.longestLag < lags {
            StandardError.print("the text, or its records, are too short for longer lags than \(flow.longestLag)")
        }
        if !isFlowOnly { progress.report("reading gates and units") }
        let units = try isFlowOnly ? nil : model.tellingUnits(over: corpus, threads: threads.count)
        let report = InspectionReport(
            checkpoint: path, text: corpus.name, isTrainingText: isTrainingText, memory: memory, baseline: counted,
            flow: flow, weights: weights, gates: try isFlowOnly ? nil : model.gates(over: corpus), units: units)
        return (report, units ?? [])
    }

    private func weights(of model: LanguageModel) throws -> GradientFlowWeights {
        var weights = GradientFlowWeights(recurrentScale: scaleRecurrent ?? 1)
        if scaleRecurrent != nil && !model.hasRecurrentWeights {
            throw UsageError(
                "the \(model.configuration.cell.rawValue) cell has no recurrent weights; drop --scale-recurrent")
        }
        guard untrained else { return weights }
        guard let seed = seed ?? model.training?.options.seed else {
            throw UsageError("the model does not say which seed it was trained with; give --seed")
        }
        weights.untrainedSeed = seed
        return weights
    }
}
