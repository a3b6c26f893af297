import ArgumentParser
import CharacterModel
import CommandSupport
import LinearAlgebra
import RecurrentNetwork
import Tokenization

struct TextOptions: ParsableArguments {
    @Option(\.unit) var unit: TextUnit?
    @Option(\.normalization) var normalization: Normalization?
    @Option(\.minCount) var minCount: Int?
    @Option(\.records) var records: String?

    func validate() throws {
        if records?.isEmpty == true {
            throw ValidationError("--records is empty; give line, blank-line, file or a text")
        }
        if unit == .byte, let normalization, normalization != .none {
            throw ValidationError("--unit byte takes bytes as they are; drop --normalization \(normalization.rawValue)")
        }
    }
}

struct ModelOptions: ParsableArguments {
    @Option(\.cell) var cell: CellKind?
    @Option(\.nonlinearity) var nonlinearity: Nonlinearity?
    @Option(\.layers) var layers: Int?
    @Option(\.hidden) var hidden: Int?
    @Option(\.embedding) var embedding: Int?
    @Flag(\.tied) var tied: Bool?
    @Option(\.dropout) var dropout: Double?
    @Option(\.weightDropout) var weightDropout: Double?

    func validate() throws {
        if tied == true, let embedding, hidden != embedding {
            throw ValidationError("--tied makes the embedding as long as --hidden; drop --embedding \(embedding)")
        }
    }

    /// Refuses what a new model's cell has no use for.
    func refuseUseless() throws {
        let cell = cell ?? OptionList.declared.cell.standard
        for option in OptionList.all where !cell.hasUse(for: option.name) {
            guard TrainingOptions(parsed: self).isGiven(option) else { continue }
            let others = CellKind.allCases.filter { $0.hasUse(for: option.name) }.map(\.rawValue)
            throw ValidationError(
                "the \(cell.rawValue) cell has no use for --\(option.name); drop it, or choose --cell "
                    + others.joined(separator: " or "))
        }
    }
}

struct TrainingFlags: ParsableArguments {
    @Option(\.batch) var batch: Int?
    @Option(\.window) var window: Int?
    @Option(\.epochs) var epochs: Int?
    @Option(\.steps) var steps: Int?
    @Option(\.timeLimit) var timeLimit: CommandSupport.Duration?
    @Option(
        parsing: .unconditional,
        help: """
            Before the training: time to try other layers, units, dropout, rates and windows than those recommended, as far \
            as no flag gives them. The best is then trained on for the budget.
            """, transform: CommandSupport.Duration.init(parsing:))
    var tune: CommandSupport.Duration?
    @Option(\.optimizer) var optimizer: Optimizer?
    @Option(\.learningRate) var learningRate: Double?
    @Option(\.schedule) var schedule: Schedule?
    @Option(\.warmup) var warmup: Int?
    @Option(\.weightDecay) var weightDecay: Double?
    @Option(\.clip) var clip: Double?
    @Option(\.maxRecoveries) var maxRecoveries: Int?
    @Option(\.seed) var seed: UInt64?

    func validate() throws {
        if [epochs != nil, steps != nil, timeLimit != nil].filter({ $0 }).count > 1 {
            throw ValidationError("--epochs, --steps and --time-limit exclude each other; give one")
        }
    }

    var hasBudget: Bool { epochs != nil || steps != nil || timeLimit != nil }
}

struct ValidationOptions: ParsableArguments {
    @Option(\.validationFraction) var validationFraction: Double?
    @Option(\.validation) var validation: String?
    @Option(\.evaluateEvery) var evaluateEvery: Int?
    @Option(\.patience) var patience: Int?

    func validate() throws {
        if validationFraction != nil && validation != nil {
            throw ValidationError("--validation-fraction and --validation exclude each other; give one")
        }
    }
}

struct OutputOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "The best model; the resumable state stands beside it. (default: checkpoints/NAME.safetensors)")
    var output: String?

    @Option(
        parsing: .unconditional, help: "Time between saves of the resumable state: 100ms, 90s, 3m. (default: 60s)",
        transform: CommandSupport.Duration.init(parsing:))
    var checkpointEvery: CommandSupport.Duration?

    @Option(parsing: .unconditional, help: "Goes on from a NAME.last.safetensors, with its options.")
    var resume: String?

    @Option(
        parsing: .unconditional,
        help: """
            Starts a new training from the weights of a model: its shape and symbols, and the new text's symbols beside \
            them.
            """)
    var from: String?

    @Option(parsing: .unconditional, help: "Writes losses and rates as JSON, one object a line.")
    var metrics: String?

    @Option(parsing: .unconditional, help: "Writes the curves of --metrics as a page for the browser, at the end.")
    var report: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Another metrics file to draw into the report; may be repeated. Without a text nothing is trained.",
            valueName: "metrics"))
    var reportWith: [String] = []

    @Option(parsing: .unconditional, help: "A folder in which to write the curves for TensorBoard.")
    var tensorboard: String?

    @Option(parsing: .unconditional, help: "Steps between reports. (default: 10)")
    var logEvery: Int?

    @Flag(help: "Reports nothing but errors and the result.")
    var quiet = false

    func validate() throws {
        if from != nil && resume != nil { throw ValidationError("--from and --resume exclude each other; give one") }
        if let metrics, metrics.hasSuffix(".safetensors") {
            throw ValidationError("--metrics \(metrics) is the name of a model; name another file")
        }
        if let report, report.hasSuffix(".safetensors") || report == metrics || reportWith.contains(report) {
            throw ValidationError("--report \(report) is the name of another file; name a new one")
        }
        if report == nil && !reportWith.isEmpty { throw ValidationError("--report-with belongs to --report; add it") }
        if let logEvery, logEvery < 1 { throw ValidationError("--log-every is \(logEvery); it must be at least 1") }
        if let output, !output.hasSuffix(".safetensors") || output.hasSuffix(".last.safetensors") {
            throw ValidationError("--output \(output) must end in .safetensors, and not in .last.safetensors")
        }
    }
}
