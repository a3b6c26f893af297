import ArgumentParser
import CharacterModel
import CommandSupport
import Tokenization

private let defaults = TrainingOptions()

struct TextOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "What one symbol is. (default: grapheme)")
    var unit: TextUnit?

    @Option(
        parsing: .unconditional,
        help: "The normal form text is brought to. (default: nfc; the byte unit has none)")
    var normalization: Normalization?

    @Option(
        parsing: .unconditional, help: "Symbols that the training part holds fewer times become unknown. (default: 1)")
    var minCount: Int?

    @Option(
        parsing: .unconditional,
        help: """
            Where a record ends (a name, a poem, a game): line, blank-line, file, a text, or none. Records are shuffled, each \
            starts afresh, and samples end where one ends. (default: none)
            """)
    var records: String?

    func validate() throws {
        if records?.isEmpty == true {
            throw ValidationError("--records is empty; give line, blank-line, file or a text")
        }
        if unit == .byte, let normalization, normalization != .none {
            throw ValidationError("--unit byte takes bytes as they are; drop --normalization \(normalization.rawValue)")
        }
        if let minCount, minCount < 1 { throw ValidationError("--min-count is \(minCount); it must be at least 1") }
    }
}

struct ModelOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "The recurrent cell. (default: gru)")
    var cell: CellKind?

    @Option(parsing: .unconditional, help: "The nonlinearity of the rnn cell. (default: tanh)")
    var nonlinearity: Nonlinearity?

    @Option(parsing: .unconditional, help: "Layers. (default: by the text's size and the budget)")
    var layers: Int?

    @Option(parsing: .unconditional, help: "Units in each layer. (default: by the text's size and the budget)")
    var hidden: Int?

    @Option(
        parsing: .unconditional,
        help: "Length of the learned embedding of a symbol; 0: one-hot. (default: by the number of symbols)")
    var embedding: Int?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Uses a symbol's embedding as its row of the decoder too; the embedding is as long as the hidden layer then. \
            (default: by how often the budget reads the text)
            """)
    var tied: Bool?

    @Option(
        parsing: .unconditional,
        help: """
            Probability to drop an output of a layer while training, the same ones through a window. (default: by how often the \
            budget reads the text)
            """)
    var dropout: Double?

    @Option(
        parsing: .unconditional,
        help: """
            Probability to drop a weight from a state to the next while training, likewise. (default: by how often the budget \
            reads the text)
            """)
    var weightDropout: Double?

    func validate() throws {
        if tied == true, let embedding, hidden != embedding {
            throw ValidationError("--tied makes the embedding as long as --hidden; drop --embedding \(embedding)")
        }
        if nonlinearity != nil && cell != .rnn {
            throw ValidationError("--nonlinearity belongs to --cell rnn")
        }
    }

    /// The shape asked for, as recommended for the rest.
    func configuration(vocabularySize: Int, _ recommendation: Recommendation) throws -> ModelConfiguration {
        let units = hidden ?? recommendation.hidden
        let isTied = tied ?? (embedding == nil && recommendation.isTied)
        return try ModelConfiguration(
            cell: cell ?? .gru, layers: layers ?? recommendation.layers, hidden: units,
            embedding: isTied ? units : embedding ?? recommendation.plainEmbedding, vocabularySize: vocabularySize,
            nonlinearity: nonlinearity ?? .tanh, isTied: isTied, dropout: dropout ?? recommendation.dropout,
            weightDropout: weightDropout ?? recommendation.weightDropout)
    }

    /// The flags that would ask for a shape, those that were given left out.
    func missingFlags(_ shape: ModelConfiguration) -> [String] {
        [
            cell == nil ? "--cell \(shape.cell)" : nil, layers == nil ? "--layers \(shape.layers)" : nil,
            hidden == nil ? "--hidden \(shape.hidden)" : nil,
            shape.isTied
                ? (tied == nil ? "--tied" : nil) : embedding == nil ? "--embedding \(shape.embedding)" : nil,
            dropout == nil ? "--dropout \(shape.dropout)" : nil,
            weightDropout == nil ? "--weight-dropout \(shape.weightDropout)" : nil,
        ].compactMap(\.self)
    }
}

struct TrainingFlags: ParsableArguments {
    @Option(parsing: .unconditional, help: "Lanes that are read side by side. (default: \(defaults.batch))")
    var batch: Int?

    @Option(
        parsing: .unconditional,
        help: "Steps through which gradients are carried back. (default: \(defaults.window))")
    var window: Int?

    @Option(parsing: .unconditional, help: "Passes over the training text. (default: 10)")
    var epochs: Int?

    @Option(parsing: .unconditional, help: "Steps of the optimizer, in place of epochs.")
    var steps: Int?

    @Option(
        parsing: .unconditional, help: "Wall clock, in place of epochs: 90s, 3m, 2h.",
        transform: CommandSupport.Duration.init(parsing:))
    var timeLimit: CommandSupport.Duration?

    @Option(
        parsing: .unconditional,
        help: """
            Before the training: time to try other layers, units, dropout, rates and windows than those recommended, as far \
            as no flag gives them. The best is then trained on for the budget.
            """, transform: CommandSupport.Duration.init(parsing:))
    var tune: CommandSupport.Duration?

    @Option(parsing: .unconditional, help: "The optimizer. (default: \(defaults.optimizer.rawValue))")
    var optimizer: Optimizer?

    @Option(parsing: .unconditional, help: "The full learning rate. (default: by the model)")
    var learningRate: Double?

    @Option(
        parsing: .unconditional, help: "How the rate falls over the budget. (default: \(defaults.schedule.rawValue))")
    var schedule: Schedule?

    @Option(
        parsing: .unconditional,
        help: "Steps over which the rate rises. (default: \(defaults.warmup), or a tenth of a small budget)")
    var warmup: Int?

    @Option(parsing: .unconditional, help: "Weight decay. (default: 0)")
    var weightDecay: Double?

    @Option(parsing: .unconditional, help: "The largest norm of the gradient. (default: 1)")
    var clip: Double?

    @Option(
        parsing: .unconditional,
        help: """
            How often training may go back to an earlier state, with half the learning rate, when the loss explodes. \
            (default: \(defaults.maxRecoveries))
            """)
    var maxRecoveries: Int?

    @Option(
        parsing: .unconditional,
        help: "Names the random numbers: equal seeds, equal models. (default: \(defaults.seed))")
    var seed: UInt64?

    func validate() throws {
        if [epochs != nil, steps != nil, timeLimit != nil].filter({ $0 }).count > 1 {
            throw ValidationError("--epochs, --steps and --time-limit exclude each other; give one")
        }
    }

    var budget: TrainingBudget? {
        epochs.map { .epochs($0) } ?? steps.map { .steps($0) } ?? timeLimit.map { .seconds($0.seconds) }
    }
}

struct ValidationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            The part of the text that validates, taken from its end; 0: none. (default: 0.1, at most 1,000,000 symbols)
            """)
    var validationFraction: Double?

    @Option(parsing: .unconditional, help: "A text that validates, in place of the end of the training text.")
    var validation: String?

    @Option(parsing: .unconditional, help: "Steps between validations. (default: ten times in the budget)")
    var evaluateEvery: Int?

    @Option(
        parsing: .unconditional, help: "Validations without improvement after which training stops. (default: none)")
    var patience: Int?

    func validate() throws {
        if let validationFraction, !(validationFraction >= 0 && validationFraction < 1) {
            throw ValidationError("--validation-fraction is \(validationFraction); it must be at least 0 and below 1")
        }
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
