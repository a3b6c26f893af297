import ArgumentParser
import CharacterModel
import CommandSupport
import Reports
import Tokenization

/// The `inspect` command: parse, call the model module, print.
public struct Inspect: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a network has learned from a text.",
        discussion: """
            Memory: how much the model gains from looking further back. Gradient flow: how far back a prediction can teach. \
            Gates: how often each is shut or open, and how long each unit remembers.

            EXAMPLES:
              inspect checkpoints/poems poems.txt
              inspect checkpoints/poems poems.txt --format json
              inspect checkpoints/poems poems.txt --untrained --scale-recurrent 1.5
              inspect checkpoints/names names.txt --lags 16
            """,
        version: escribaVersion)

    @Argument(help: "A model made by train.")
    var checkpoint: String

    @Argument(help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"))
    var files: [String] = []

    @Option(parsing: .unconditional, help: "Tables to read, or JSON with every figure.")
    var format = Format.table

    @Option(parsing: .unconditional, help: "The longest lag of the gradient flow, in symbols.")
    var lags = 256

    @Flag(help: "Measures the gradient flow of an untrained model of the same shape, with its seed.")
    var untrained = false

    @Option(parsing: .unconditional, help: "Another seed for --untrained. (default: the model's)")
    var seed: UInt64?

    @Option(parsing: .unconditional, help: "Multiplies the recurrent weights, for the gradient flow. (default: 1)")
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
    }

    public func run() throws {
        if files.isEmpty { throw ValidationError("name a text to inspect the model with") }
        let model = try LanguageModel(reading: checkpoint)
        let weights = try weights(of: model)
        let corpus = try reading.corpus(files, for: model)
        // With a large model each takes a minute.
        StandardError.print("measuring memory")
        let memory = try model.memory(of: corpus, threads: threads.count)
        StandardError.print("following gradients")
        let flow = try model.gradientFlow(
            over: corpus, longestLag: lags, weights: weights, threads: threads.count)
        if flow.longestLag < lags {
            StandardError.print("the text, or its records, are too short for longer lags than \(flow.longestLag)")
        }
        StandardError.print("reading gates")
        let report = InspectionReport(
            checkpoint: LanguageModel.path(of: checkpoint), text: corpus.name, memory: memory, flow: flow,
            weights: weights, gates: try model.gates(over: corpus))
        try StandardOutput.write(format == .json ? try report.json() : report.table())
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
