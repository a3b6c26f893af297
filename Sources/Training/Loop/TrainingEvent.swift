/// An event that a training run reports.
public enum TrainingEvent: Sendable {
    case step(StepReport)
    case validation(ValidationReport)
    /// The exact validation begins.
    case scoring(symbols: Int)
    /// The model wrote a text.
    case sample(TrainingSample)
    /// A checkpoint was saved.
    case saved(path: String)
    /// The files of an earlier training run were renamed; the path is that of its best model, even if it has none.
    case kept(path: String)
    /// The metrics of an earlier training run were renamed.
    case keptMetrics(path: String)
    /// A checkpoint could not be saved; it will be retried.
    case notSaved(path: String, reason: String)
    /// The loss exploded, and training returned to an earlier state.
    case recovery(RecoveryReport)
    /// The previous run used another kernel level, so this run's bits will differ.
    case otherKernels(before: String, now: String)
    /// Tuning gave a candidate too few steps to be judged fairly; this many seconds would be enough.
    case unfairChoice(steps: Int, seconds: Double)
    /// The text is too short for the requested number of lanes.
    case fewerLanes(wanted: Int, used: Int)
}

/// Training since the previous report.
public struct StepReport: Sendable, Equatable, Codable {
    /// Optimizer steps done.
    public var step: Int
    /// Epochs done, including the fraction of the current one.
    public var epoch: Double
    /// Training symbols seen.
    public var tokens: Int
    /// Wall-clock time since the first step.
    public var seconds: Double
    /// Mean nats per symbol since the previous report.
    public var trainNats: Double
    public var learningRate: Double
    /// The gradient norm of the last step, before clipping.
    public var gradientNorm: Double
    /// The batch, in lanes, above which more of them help little, if it is measured (McCandlish, Kaplan, Amodei et al. 2018); a
    /// mean since the previous report, and nil where that is too short to tell.
    public var gradientNoiseScale: Double?
    /// Speed, not counting validation and saving.
    public var tokensPerSecond: Double
    /// The fraction of the budget that is spent; not part of the metrics.
    public var progress = 1.0

    enum CodingKeys: String, CodingKey {
        case step, epoch, tokens, seconds
        case trainNats = "train_nats"
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case gradientNoiseScale = "gradient_noise_scale"
        case tokensPerSecond = "tokens_per_second"
    }
}

/// A validation.
public struct ValidationReport: Sendable, Equatable, Codable {
    public var step: Int
    public var epoch: Double
    public var seconds: Double
    /// Mean nats per symbol, including the spelling of unknown symbols.
    public var nats: Double
    public var bitsPerCharacter: Double
    /// True if scored in one lane from the boundary to the end, as by `perplexity`; false if in parallel lanes.
    public var isExact: Bool
    /// Whether this is the best validation so far; not part of the metrics.
    public var isBest = false
    /// The fraction of the budget that was spent; not part of the metrics.
    public var progress = 1.0

    enum CodingKeys: String, CodingKey {
        case step, epoch, seconds
        case nats = "validation_nats"
        case bitsPerCharacter = "validation_bits_per_character"
        case isExact = "exact"
    }
}

/// A return to an earlier state.
public struct RecoveryReport: Sendable, Equatable, Codable {
    /// The step after which the loss exploded.
    public var step: Int
    /// What was wrong.
    public var flaw: String
    /// The step it went back to.
    public var point: Int
    /// How many recoveries there have been.
    public var count: Int
    /// The maximum number of recoveries; not part of the metrics.
    public var limit = 0
    /// The peak learning rate from now on.
    public var learningRate: Double

    enum CodingKeys: String, CodingKey {
        case step
        case flaw = "reason"
        case point = "back_to_step"
        case count = "recovery"
        case learningRate = "learning_rate"
    }
}
