import Tokenization

/// How a model was trained: the progress, the options, and the text.
///
/// Together with the tensors, it is all that a resumed run needs to continue exactly.
public struct TrainingRecord: Sendable, Equatable, Codable {
    /// Optimizer steps done.
    public package(set) var step = 0
    /// Epochs completed, and windows done in the current one: the data cursor.
    public package(set) var epoch = 0
    package var window = 0
    /// Training symbols seen.
    public package(set) var tokens = 0
    /// Wall-clock time since the first step, over all runs.
    public package(set) var seconds = 0.0
    /// The seed of every stream of random numbers. Streams are named by step and position, so this is the whole state of
    /// the generator.
    package var generator: UInt64 = 1
    /// Where the budget's schedule begins: the steps and seconds already spent on tuning.
    package var tunedSteps = 0
    package var tunedSeconds = 0.0
    /// Mean nats per symbol of the best validation, and its step.
    public package(set) var bestValidation: Double?
    public package(set) var bestStep: Int?
    /// Validations done, and how many of them since the best.
    package var validations = 0
    package var validationsSinceBest = 0
    /// Total loss since the last line of metrics, and the number of symbols it covers.
    package var pendingNats = 0.0
    package var pendingTokens = 0
    /// What those steps have shown of the gradient's noise, if it is measured.
    package var pendingNoise: PendingNoise?
    /// The time those steps took, in seconds.
    package var pendingSeconds = 0.0
    /// The metrics file, and how many of its bytes belong to this state.
    package var metricsPath: String?
    package var metricsLength = 0
    /// The SHA-256 of its first line, which identifies it; nil if it is empty, and in files of earlier versions.
    package var metricsFirstLine: String?
    /// Lines of it that could not be written yet.
    package var metricsWaiting: String?
    /// Whether the budget (or the patience) is exhausted.
    public package(set) var isFinished = false
    /// Whether the validation of this step is still pending.
    package var owesValidation = false
    package var recovery = RecoveryRecord()
    /// The kernel level of the last run, which determines its exact bits. nil in files of earlier versions.
    package var kernelLevel: String?
    public package(set) var options = TrainingOptions()
    public package(set) var corpus = CorpusRecord()

    enum CodingKeys: String, CodingKey {
        case step, epoch, window, tokens, seconds, generator
        case tunedSteps = "tuned_steps"
        case tunedSeconds = "tuned_seconds"
        case bestValidation = "best_validation"
        case bestStep = "best_step"
        case validations
        case validationsSinceBest = "validations_since_best"
        case pendingNats = "pending_nats"
        case pendingTokens = "pending_tokens"
        case pendingSeconds = "pending_seconds"
        case pendingNoise = "pending_noise"
        case metricsPath = "metrics_path"
        case metricsLength = "metrics_length"
        case metricsFirstLine = "metrics_first_line"
        case metricsWaiting = "metrics_waiting"
        case isFinished = "finished"
        case owesValidation = "owes_validation"
        case recovery
        case kernelLevel = "kernel_level"
        case options, corpus
    }

    package init() {}

    /// Files of earlier versions lack some keys.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys) throws -> Value { try container.decode(Value.self, forKey: key) }
        func find<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try container.decodeIfPresent(Value.self, forKey: key)
        }
        (step, epoch, window, tokens) = (try read(.step), try read(.epoch), try read(.window), try read(.tokens))
        (seconds, generator) = (try read(.seconds), try read(.generator))
        (tunedSteps, tunedSeconds) = (try find(.tunedSteps) ?? 0, try find(.tunedSeconds) ?? 0)
        (bestValidation, bestStep) = (try find(.bestValidation), try find(.bestStep))
        (validations, validationsSinceBest) = (try read(.validations), try read(.validationsSinceBest))
        (pendingNats, pendingTokens) = (try read(.pendingNats), try read(.pendingTokens))
        (pendingSeconds, pendingNoise) = (try read(.pendingSeconds), try find(.pendingNoise))
        (metricsPath, metricsLength) = (try find(.metricsPath), try read(.metricsLength))
        (metricsFirstLine, metricsWaiting) = (try find(.metricsFirstLine), try find(.metricsWaiting))
        isFinished = try read(.isFinished)
        owesValidation = try find(.owesValidation) ?? owesValidation
        recovery = try find(.recovery) ?? recovery
        kernelLevel = try find(.kernelLevel)
        (options, corpus) = (try read(.options), try read(.corpus))
    }

    /// Whether every counter is possible for a training run with this many windows per epoch.
    package func isPlausible(windows: Int) -> Bool {
        let counters = [step, epoch, tokens, validations, validationsSinceBest, pendingTokens, metricsLength]
        return counters.allSatisfy { (0...1 << 53).contains($0) } && (0..<windows).contains(window) && seconds >= 0
            && seconds < 1e12 && (0...step).contains(tunedSteps) && tunedSeconds >= 0 && tunedSeconds <= seconds
            && recovery.isPlausible(windows: windows)
    }
}

/// Which text a model was trained on, and how it was split.
public struct CorpusRecord: Sendable, Equatable, Codable {
    /// Absolute paths, as far as the texts are files.
    public package(set) var sources: [String] = []
    /// SHA-256 of the bytes of the training text, and of the validation text if that is a separate text.
    public package(set) var sha256 = ""
    public package(set) var validationSHA256: String?
    public package(set) var minimumCount = 1
    /// nil: a tenth, at most 1,000,000 symbols.
    public package(set) var validationFraction: Double?
    public package(set) var validationSource: String?
    /// The checkpoint whose weights the training started from.
    public package(set) var origin: String?
    /// How the bytes of the texts are read; the defaults for files of earlier versions, which do not store it.
    public var format: TextFormat {
        get {
            var format = TextFormat()
            if let encoding { format.encoding = TextEncoding(name: encoding) }
            format.onInvalid = onInvalid ?? format.onInvalid
            format.newlines = newlines ?? format.newlines
            return format
        }
        set {
            encoding = newValue.encoding.name
            onInvalid = newValue.onInvalid
            newlines = newValue.newlines
        }
    }
    private var encoding: String?
    private var onInvalid: InvalidPolicy?
    private var newlines: Newlines?

    enum CodingKeys: String, CodingKey {
        case sources, sha256
        case validationSHA256 = "validation_sha256"
        case minimumCount = "min_count"
        case validationFraction = "validation_fraction"
        case validationSource = "validation_source"
        case origin, encoding
        case onInvalid = "on_invalid"
        case newlines
    }

    package init() {}

    /// Forgets where the texts are.
    package mutating func forgetPlaces() { (sources, validationSource) = ([], nil) }
}
