/// What a training reports while it runs.
public enum TrainingEvent: Sendable {
    case step(StepReport)
    case validation(ValidationReport)
    /// The exact validation begins.
    case scoring(symbols: Int)
    /// A checkpoint is in its place.
    case saved(path: String)
    /// The files of an earlier training have moved: its best model, or where that would be.
    case kept(path: String)
    /// The metrics of an earlier training have moved.
    case keptMetrics(path: String)
    /// A checkpoint could not be saved; it will be tried again.
    case notSaved(path: String, reason: String)
    /// The loss exploded, and the training went back to an earlier state.
    case recovery(RecoveryReport)
    /// The run before computed at another kernel level, so that this one does not go on with the same bits.
    case otherKernels(before: String, now: String)
    /// Tuning gave a candidate too few steps to be judged by; so many seconds would be enough.
    case unfairChoice(steps: Int, seconds: Double)
    /// The text is too short for the lanes asked for.
    case fewerLanes(wanted: Int, used: Int)
}

/// The training since the report before.
public struct StepReport: Sendable, Equatable, Codable {
    /// Steps of the optimizer done.
    public var step: Int
    /// Epochs done, with the part of the current one.
    public var epoch: Double
    /// Training symbols seen.
    public var tokens: Int
    /// Wall clock since the first step.
    public var seconds: Double
    /// Mean nats per symbol since the report before.
    public var trainNats: Double
    public var learningRate: Double
    /// Of the last step, before clipping.
    public var gradientNorm: Double
    /// Validation and saving left out.
    public var tokensPerSecond: Double
    /// The part of the budget that is spent; no part of the metrics.
    public var progress = 1.0

    enum CodingKeys: String, CodingKey {
        case step, epoch, tokens, seconds
        case trainNats = "train_nats"
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case tokensPerSecond = "tokens_per_second"
    }
}

/// A validation.
public struct ValidationReport: Sendable, Equatable, Codable {
    public var step: Int
    public var epoch: Double
    public var seconds: Double
    /// Mean nats per symbol, the spelling of unknown symbols included.
    public var nats: Double
    public var bitsPerCharacter: Double
    /// One lane from the boundary to the end, as `perplexity` computes it; else in lanes.
    public var isExact: Bool
    /// Whether no validation before was better; no part of the metrics.
    public var isBest = false

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
    /// How often that has happened.
    public var count: Int
    /// How often it may; no part of the metrics.
    public var limit = 0
    /// The full learning rate from now on.
    public var learningRate: Double

    enum CodingKeys: String, CodingKey {
        case step
        case flaw = "reason"
        case point = "back_to_step"
        case count = "recovery"
        case learningRate = "learning_rate"
    }
}
