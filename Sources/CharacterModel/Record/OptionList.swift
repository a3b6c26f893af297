import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// All training options, declared in one place.
public struct OptionList: Sendable {
    // MARK: Text

    /// What one symbol is.
    public let unit = TrainingOption(
        "unit", .text, TextUnit.grapheme, fixedBy: .weights, in: { $0.vocabulary.unit }, help: "What one symbol is.")
    /// The Unicode normal form applied to the text.
    public let normalization = TrainingOption(
        "normalization", .text, Normalization.nfc, default: "nfc; the byte unit has none",
        fixedBy: .weights, in: { $0.vocabulary.normalization }, help: "The Unicode normal form applied to the text.")
    /// Symbols that occur fewer times in the training part become unknown.
    public let minCount = TrainingOption(
        "min-count", .text, 1, .atLeast(1), in: { $0.record.corpus.minimumCount },
        help: "Symbols that occur fewer times than this in the training part become unknown.")
    /// Where a record ends (a name, a poem, a game): line, blank-line, file, a text, or none. Records are shuffled,
    /// each starts with a fresh state, and samples end where a record ends.
    public let records = TrainingOption(
        "records", .text, "none", AllowedValues(text: "line, blank-line, file or a text") { !$0.isEmpty },
        in: { $0.vocabulary.records?.name ?? "none" },
        help: """
            Where a record ends (a name, a poem, a game): line, blank-line, file, a text, or none. Records are shuffled, each \
            starts with a fresh state, and samples end where a record ends.
            """)
    /// The charset of the text: auto, or a name that ICU knows; list prints them.
    public let encoding = TrainingOption(
        "encoding", .text, "auto", default: "auto: by byte-order mark, else UTF-8, else the likeliest",
        in: { $0.record.corpus.format.encoding.name },
        help: "The charset of the text: auto, or a name that ICU knows; list prints them.")
    /// What to do with bytes that are ill-formed in the charset: error, replace (by U+FFFD) or skip.
    public let onInvalid = TrainingOption(
        "on-invalid", .text, InvalidPolicy.error, in: { $0.record.corpus.format.onInvalid },
        help: "What to do with bytes that are ill-formed in the charset: error, replace (by U+FFFD) or skip.")
    /// Whether to keep line ends (keep) or convert them all to LF (lf).
    public let newlines = TrainingOption(
        "newlines", .text, Newlines.keep, in: { $0.record.corpus.format.newlines },
        help: "Whether to keep line ends (keep) or convert them all to LF (lf).")

    // MARK: Model

    /// The recurrent cell.
    public let cell = TrainingOption(
        "cell", .model, CellKind?.none, default: "by the text's size and the budget", fixedBy: .weights,
        isRecommended: true,
        in: { $0.configuration.cell },
        help: "The recurrent cell.")
    /// The nonlinearity of the rnn cell.
    public let nonlinearity = TrainingOption(
        "nonlinearity", .model, Nonlinearity.tanh, fixedBy: .weights, in: { $0.configuration.nonlinearity },
        help: "The nonlinearity of the rnn cell.")
    /// Number of layers.
    public let layers = TrainingOption(
        "layers", .model, nil, .optional(.range(ModelConfiguration.layerRange)), default: "1",
        fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.layers }, help: "Number of layers.")
    /// Units in each layer.
    public let hidden = TrainingOption(
        "hidden", .model, nil, .optional(.range(ModelConfiguration.hiddenRange)),
        default: "by the text's size and the budget", fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.hidden },
        help: "Units in each layer.")
    /// Length of the learned embedding of a symbol; 0: one-hot.
    public let embedding = TrainingOption(
        "embedding", .model, nil, .optional(.range(ModelConfiguration.embeddingRange)),
        default: "by the number of symbols", fixedBy: .weights, isRecommended: true, in: { $0.configuration.embedding },
        help: "Length of the learned embedding of a symbol; 0: one-hot.")
    /// Adds embeddings of the last 2, 3, ... N symbols to that of the last one; 0: none.
    public let ngramEmbedding = TrainingOption(
        "ngram-embedding", .model, nil, .optional(.zeroOr(ModelConfiguration.ngramRange)),
        default: "by the text's size and the budget", fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.ngramEmbedding },
        help: "Adds embeddings of the last 2, 3, ... N symbols to that of the last one; 0: none.")
    /// Probability of dropping the embedding of an n-gram in training.
    public let ngramDropout = TrainingOption(
        "ngram-dropout", .model, nil, .optional(.part),
        default: "by the text's size and the number of passes", isRecommended: true,
        in: { $0.configuration.ngramDropout },
        help: "Probability of dropping the embedding of an n-gram in training.")
    /// Uses a symbol's embedding as its decoder row too; the embedding is then as long as the hidden layer.
    public let tied = TrainingOption(
        "tied", .model, Bool?.none, default: "no", fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.isTied },
        help: """
            Uses a symbol's embedding as its decoder row too; the embedding is then as long as the hidden layer.
            """)
    /// Probability of dropping a layer output in training; the mask is fixed for a window.
    public let dropout = TrainingOption(
        "dropout", .model, nil, .optional(.part), default: "by the number of passes in the budget",
        isRecommended: true, in: { $0.configuration.dropout },
        help: "Probability of dropping a layer output in training; the mask is fixed for a window.")
    /// Probability of dropping a recurrent weight in training; the mask is fixed for a window.
    public let weightDropout = TrainingOption(
        "weight-dropout", .model, nil, .optional(.part),
        default: "by the text's size and the number of passes", isRecommended: true,
        in: { $0.configuration.weightDropout },
        help: "Probability of dropping a recurrent weight in training; the mask is fixed for a window.")

    /// Counts n-grams of up to 8 symbols beside the network, and mixes both.
    public let counts = TrainingOption(
        "counts", .model, Bool?.none, default: "for texts of 20,000 symbols and more", isRecommended: true,
        help: "Counts n-grams of up to 8 symbols beside the network; the model mixes both.")
    /// The size of the counts in the model, in megabytes.
    public let countsSize = TrainingOption(
        "counts-size", .model, 30.0, AllowedValues(text: "from 1 to 1000") { (1...1_000).contains($0) },
        help: "The size of the counts in the model, in megabytes; the rarest n-grams are dropped.")

    // MARK: Training

    /// Number of lanes read in parallel.
    public let batch = TrainingOption(
        "batch", .training, 16, .range(1...65_536),
        help:
            "Number of lanes, parts of the text read in parallel; 8 keep a thread busy. Of several processes, each gets 16."
    )
    /// Steps that gradients are propagated back through.
    public let window = TrainingOption(
        "window", .training, 64, .range(1...65_536), help: "Symbols that gradients are propagated back through.")
    /// Passes over the training text.
    public let epochs = TrainingOption(
        "epochs", .training, nil, .optional(.range(1...1_000_000)), default: "10", fixedBy: .nothing,
        help: "Passes over the training text.")
    /// Optimizer steps, instead of epochs.
    public let steps = TrainingOption(
        "steps", .training, nil, .optional(.range(1...1_000_000_000_000)), fixedBy: .nothing,
        help: "Optimizer steps, instead of epochs.")
    /// Wall-clock time, instead of epochs: 90s, 3m, 2h.
    public let timeLimit = TrainingOption(
        "time-limit", .training, nil, .optional(.positive), fixedBy: .nothing,
        help: "Wall-clock time, instead of epochs: 90s, 3m, 2h.")
    /// The optimizer.
    public let optimizer = TrainingOption("optimizer", .training, Optimizer.adamw, help: "The optimizer.")
    /// The numbers that products are made of; sums, states and the optimizer are 32-bit floats in both.
    public let precision = TrainingOption(
        "precision", .training, Precision?.none, default: "bfloat16 if the processor has instructions for it",
        isRecommended: true,
        help: """
            What numbers are rounded to before they are multiplied; bfloat16 is faster where the processor has \
            instructions for it. All else is in 32-bit floats.
            """)
    /// The peak learning rate.
    public let learningRate = TrainingOption(
        "learning-rate", .training, nil, .optional(.positive), default: "by the model", isRecommended: true,
        help: "The peak learning rate.")
    /// How the learning rate decays over the budget.
    public let schedule = TrainingOption(
        "schedule", .training, Schedule.cosine, help: "How the learning rate decays over the budget.")
    /// Steps of rising learning rate.
    public let warmup = TrainingOption(
        "warmup", .training, nil, .optional(.range(0...1_000_000_000_000)),
        default: "100, or a tenth of a small budget", isRecommended: true, help: "Steps of rising learning rate.")
    /// Weight decay; not applied to biases.
    public let weightDecay = TrainingOption(
        "weight-decay", .training, 0.0, .notNegative, help: "Weight decay; not applied to biases.")
    /// Maximum norm of the gradient; larger ones are scaled down to it.
    public let clip = TrainingOption(
        "clip", .training, 1.0, .positive, help: "Maximum norm of the gradient; larger ones are scaled down to it.")
    /// How often training may go back to an earlier state, with half the learning rate, when the loss explodes.
    public let maxRecoveries = TrainingOption(
        "max-recoveries", .training, 10, .range(0...1_000), fixedBy: .nothing,
        help: "How often training may go back to an earlier state, with half the learning rate, when the loss explodes."
    )
    /// Seed of the random numbers; the same seed gives the same model.
    public let seed = TrainingOption(
        "seed", .training, UInt64(1),
        help: "Seed of the random numbers; the same seed gives the same model, except with a time limit.")

    // MARK: Validation

    /// Fraction of the text used for validation, taken from its end; 0: none.
    public let validationFraction = TrainingOption(
        "validation-fraction", .validation, nil, .optional(.part),
        default: "0.1, at most 1,000,000 symbols", in: { $0.record.corpus.validationFraction },
        help: "Fraction of the text used for validation, taken from its end; 0: none.")
    /// A text to validate on, instead of the end of the training text.
    public let validation = TrainingOption(
        "validation", .validation, String?.none, fixedBy: .nothing, in: { $0.record.corpus.validationSource },
        help: "A text to validate on, instead of the end of the training text.")
    /// Steps between validations.
    public let evaluateEvery = TrainingOption(
        "evaluate-every", .validation, nil, .optional(.atLeast(1)), default: "ten times per budget",
        fixedBy: .nothing,
        help: "Steps between validations.")
    /// Validations without improvement after which training stops.
    public let patience = TrainingOption(
        "patience", .validation, nil, .optional(.atLeast(1)), default: "none", fixedBy: .nothing,
        help: "Validations without improvement after which training stops.")

    /// The declarations.
    public static let declared = OptionList()

    /// All options, in the order of their declarations.
    package static let all: [any AnyTrainingOption] =
        Mirror(reflecting: declared).children.compactMap { $0.value as? any AnyTrainingOption }

    /// The options stored as options in a checkpoint's record. The others are stored with the model, vocabulary or
    /// corpus.
    static let recorded = all.filter { $0.isRecorded && !TrainingBudget.optionNames.contains($0.name) }
}
