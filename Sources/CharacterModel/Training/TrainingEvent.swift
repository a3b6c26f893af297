/// What a training reports while it runs.
public enum TrainingEvent: Sendable {
    case step(StepReport)
    case validation(ValidationReport)
    /// The exact validation begins.
    case scoring(symbols: Int)
    /// A checkpoint is in its place.
    case saved(path: String)
    /// A checkpoint could not be saved; it will be tried again.
    case notSaved(path: String, reason: String)
    /// The loss exploded, and the training went back to an earlier state.
    case recovery(RecoveryReport)
    /// The text is too short for the lanes asked for.
    case fewerLanes(wanted: Int, used: Int)
}

/// The training since the report before.
public struct StepReport: Sendable, Equatable {
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
    /// The part of the budget that is spent.
    public var progress: Double
}

/// A validation.
public struct ValidationReport: Sendable, Equatable {
    public var step: Int
    public var epoch: Double
    public var seconds: Double
    /// Mean nats per symbol, the spelling of unknown symbols included.
    public var nats: Double
    public var bitsPerCharacter: Double
    /// One lane from the boundary to the end, as `perplexity` computes it; else in lanes.
    public var isExact: Bool
    /// Whether no validation before was better.
    public var isBest: Bool
}

/// A return to an earlier state.
public struct RecoveryReport: Sendable, Equatable {
    /// The step after which the loss exploded.
    public var step: Int
    /// What was wrong.
    public var flaw: String
    /// The step it went back to.
    public var point: Int
    /// How often that has happened, and how often it may.
    public var count: Int
    public var limit: Int
    /// The full learning rate from now on.
    public var learningRate: Double
}

extension TrainingEvent {
    /// The line of the metrics file, if the event has one.
    var metricsLine: String? {
        switch self {
        case .step(let report):
            return """
                {"step":\(report.step),"epoch":\(report.epoch),"tokens":\(report.tokens),"seconds":\(report.seconds),\
                "train_nats":\(report.trainNats),"learning_rate":\(report.learningRate),\
                "gradient_norm":\(report.gradientNorm),"tokens_per_second":\(report.tokensPerSecond)}
                """
        case .validation(let report):
            return """
                {"step":\(report.step),"epoch":\(report.epoch),"seconds":\(report.seconds),\
                "validation_nats":\(report.nats),"validation_bits_per_character":\(report.bitsPerCharacter),\
                "exact":\(report.isExact)}
                """
        case .recovery(let report):
            return """
                {"step":\(report.step),"recovery":\(report.count),"back_to_step":\(report.point),\
                "learning_rate":\(report.learningRate),"reason":"\(report.flaw)"}
                """
        case .scoring, .saved, .notSaved, .fewerLanes: return nil
        }
    }
}
