import CharacterModel
import RecurrentNetwork

/// Texts that the model writes while it learns. They change no result, and their time is not counted as training.
public struct SamplePlan: Sendable, Equatable {
    /// Seconds between samples; nil: none by time.
    public var every: Double?
    /// Whether one is written after each validation.
    public var atValidations = false
    /// What a sample continues; its unknown symbols are read as `unknown`.
    public var prompt = ""
    /// 0: always the likeliest symbol. Likely texts show best what has been learned.
    public var temperature = 0.8
    /// The most symbols of a sample. One of a model of records ends with its record.
    public var length = 200

    public init() {}

    var isOn: Bool { every != nil || atValidations }
}

/// A text that the model wrote while it learned.
public struct TrainingSample: Sendable, Equatable {
    public var step: Int
    /// The prompt and what follows it.
    public var text: String

    public init(step: Int, text: String) { (self.step, self.text) = (step, text) }
}

/// Decides when a sample is due.
struct SampleClock {
    let plan: SamplePlan
    /// In the record's seconds.
    private var last: Double

    init(_ plan: SamplePlan, _ record: TrainingRecord) { (self.plan, last) = (plan, record.seconds) }

    /// Whether a sample is due now; the next one then comes an interval later.
    mutating func isDue(_ record: TrainingRecord, isValidation: Bool) -> Bool {
        let isDue =
            isValidation ? plan.atValidations : plan.every.map { record.seconds - last >= $0 } ?? false
        if isDue { last = record.seconds }
        return isDue
    }
}

extension Trainer {
    /// Writes a sample, if one is due.
    func sample(atValidation isValidation: Bool) {
        guard samples.plan.isOn, samples.isDue(record, isValidation: isValidation) else { return }
        let began = now()
        let parameters = engine.withParameters { $0.copy(configuration) }
        let model = LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: data.vocabulary, parameters: parameters, training: record,
                state: nil, mixture: isValidation ? lastMixture : mixture()))
        if let text = samples.plan.text(of: model, seed: record.options.seed, step: record.step) {
            observe(.sample(TrainingSample(step: record.step, text: text)))
        }
        budget.pause(for: now() - began)
    }
}

extension SamplePlan {
    /// The same model, seed and step give the same text; nil if the prompt cannot be read.
    public func text(of model: LanguageModel, seed: UInt64, step: Int) -> String? {
        // Full precision: rounding the weights would take longer than writing so short a text.
        let strategy = (try? Temperature(temperature)).map { SamplingStrategy.sampled($0, keeping: .everything) }
        let generator = try? model.generator(
            prompt: prompt, strategy: strategy ?? .greedy, seed: seed, stream: UInt64(step), isExact: true)
        guard let generator else { return nil }
        return prompt + String(decoding: generator.prefix(max(0, length)).flatMap(\.symbol.bytes), as: UTF8.self)
    }
}
