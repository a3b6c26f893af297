import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// The options of a training: the one list of them.
public struct OptionList: Sendable {
    // MARK: Text

    public let unit = TrainingOption(
        "unit", .text, TextUnit.grapheme, fixedBy: .weights, in: { $0.vocabulary.unit }, help: "What one symbol is.")
    public let normalization = TrainingOption(
        "normalization", .text, Normalization.nfc, default: "nfc; the byte unit has none",
        fixedBy: .weights, in: { $0.vocabulary.normalization }, help: "The normal form text is brought to.")
    public let minCount = TrainingOption(
        "min-count", .text, 1, .atLeast(1), in: { $0.record.corpus.minimumCount },
        help: "Symbols that the training part holds fewer times become unknown.")
    public let records = TrainingOption(
        "records", .text, "none", AllowedValues(text: "line, blank-line, file or a text") { !$0.isEmpty },
        in: { $0.vocabulary.records?.name ?? "none" },
        help: """
            Where a record ends (a name, a poem, a game): line, blank-line, file, a text, or none. Records are shuffled, each \
            starts afresh, and samples end where one ends.
            """)
    public let encoding = TrainingOption(
        "encoding", .text, "auto", default: "auto: a byte-order mark, else UTF-8, else the likeliest",
        in: { $0.record.corpus.format.encoding.name },
        help: "The charset of the text: auto, or a name that ICU knows; list prints them.")
    public let onInvalid = TrainingOption(
        "on-invalid", .text, InvalidPolicy.error, in: { $0.record.corpus.format.onInvalid },
        help: "What becomes of bytes that are ill-formed in the charset: error, replace (by U+FFFD) or skip.")
    public let newlines = TrainingOption(
        "newlines", .text, Newlines.keep, in: { $0.record.corpus.format.newlines },
        help: "Line ends as they are, or all as LF: keep, lf.")

    // MARK: Model

    public let cell = TrainingOption(
        "cell", .model, CellKind.gru, fixedBy: .weights, isRecommended: true, in: { $0.configuration.cell },
        help: "The recurrent cell.")
    public let nonlinearity = TrainingOption(
        "nonlinearity", .model, Nonlinearity.tanh, fixedBy: .weights, in: { $0.configuration.nonlinearity },
        help: "The nonlinearity of the rnn cell.")
    public let layers = TrainingOption(
        "layers", .model, nil, .optional(.range(ModelConfiguration.layerRange)),
        default: "by the text's size and the budget", fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.layers }, help: "Layers.")
    public let hidden = TrainingOption(
        "hidden", .model, nil, .optional(.range(ModelConfiguration.hiddenRange)),
        default: "by the text's size and the budget", fixedBy: .weights, isRecommended: true,
        in: { $0.configuration.hidden },
        help: "Units in each layer.")
    public let embedding = TrainingOption(
        "embedding", .model, nil, .optional(.range(ModelConfiguration.embeddingRange)),
        default: "by the number of symbols", fixedBy: .weights, isRecommended: true, in: { $0.configuration.embedding },
        help: "Length of the learned embedding of a symbol; 0: one-hot.")
    public let tied = TrainingOption(
        "tied", .model, Bool?.none, default: "by how often the budget reads the text", fixedBy: .weights,
        isRecommended: true,
        in: { $0.configuration.isTied },
        help: """
            Uses a symbol's embedding as its row of the decoder too; the embedding is as long as the hidden layer then.
            """)
    public let dropout = TrainingOption(
        "dropout", .model, nil, .optional(.part), default: "by how often the budget reads the text",
        isRecommended: true, in: { $0.configuration.dropout },
        help: "Probability to drop an output of a layer while training, the same ones through a window.")
    public let weightDropout = TrainingOption(
        "weight-dropout", .model, nil, .optional(.part),
        default: "by how often the budget reads the text", isRecommended: true,
        in: { $0.configuration.weightDropout },
        help: "Probability to drop a weight from a state to the next while training, likewise.")

    // MARK: Training

    public let batch = TrainingOption(
        "batch", .training, 16, .range(1...65_536), help: "Lanes that are read side by side.")
    public let window = TrainingOption(
        "window", .training, 64, .range(1...65_536), help: "Steps through which gradients are carried back.")
    public let epochs = TrainingOption(
        "epochs", .training, nil, .optional(.range(1...1_000_000)), default: "10", fixedBy: .nothing,
        help: "Passes over the training text.")
    public let steps = TrainingOption(
        "steps", .training, nil, .optional(.range(1...1_000_000_000_000)), fixedBy: .nothing,
        help: "Steps of the optimizer, in place of epochs.")
    public let timeLimit = TrainingOption(
        "time-limit", .training, nil, .optional(.positive), fixedBy: .nothing,
        help: "Wall clock, in place of epochs: 90s, 3m, 2h.")
    public let optimizer = TrainingOption("optimizer", .training, Optimizer.adamw, help: "The optimizer.")
    public let learningRate = TrainingOption(
        "learning-rate", .training, nil, .optional(.positive), default: "by the model", isRecommended: true,
        help: "The full learning rate.")
    public let schedule = TrainingOption(
        "schedule", .training, Schedule.cosine, help: "How the rate falls over the budget.")
    public let warmup = TrainingOption(
        "warmup", .training, nil, .optional(.range(0...1_000_000_000_000)),
        default: "100, or a tenth of a small budget", isRecommended: true, help: "Steps over which the rate rises.")
    public let weightDecay = TrainingOption(
        "weight-decay", .training, 0.0, .notNegative, help: "Weight decay; biases are left alone.")
    public let clip = TrainingOption(
        "clip", .training, 1.0, .positive, help: "The largest norm of the gradient; larger ones are scaled down to it.")
    public let maxRecoveries = TrainingOption(
        "max-recoveries", .training, 10, .range(0...1_000), fixedBy: .nothing,
        help: "How often training may go back to an earlier state, with half the learning rate, when the loss explodes."
    )
    public let seed = TrainingOption(
        "seed", .training, UInt64(1), help: "Names the random numbers: equal seeds, equal models.")

    // MARK: Validation

    public let validationFraction = TrainingOption(
        "validation-fraction", .validation, nil, .optional(.part),
        default: "0.1, at most 1,000,000 symbols", in: { $0.record.corpus.validationFraction },
        help: "The part of the text that validates, taken from its end; 0: none.")
    public let validation = TrainingOption(
        "validation", .validation, String?.none, fixedBy: .nothing, in: { $0.record.corpus.validationSource },
        help: "A text that validates, in place of the end of the training text.")
    public let evaluateEvery = TrainingOption(
        "evaluate-every", .validation, nil, .optional(.atLeast(1)), default: "ten times in the budget",
        fixedBy: .nothing,
        help: "Steps between validations.")
    public let patience = TrainingOption(
        "patience", .validation, nil, .optional(.atLeast(1)), default: "none", fixedBy: .nothing,
        help: "Validations without improvement after which training stops.")

    /// The declarations.
    public static let declared = OptionList()

    /// All of them, in the order in which they are declared.
    public static let all: [any AnyTrainingOption] =
        Mirror(reflecting: declared).children.compactMap { $0.value as? any AnyTrainingOption }

    /// Those that stand in the record of a checkpoint as options; the others stand with the model, the vocabulary, the corpus.
    static let recorded = all.filter { $0.isRecorded && !TrainingBudget.optionNames.contains($0.name) }
}
