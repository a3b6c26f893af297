import ArgumentParser
import CharacterModel
import CommandSupport
import Training

/// The options for the texts that the model writes while it learns.
struct SampleFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Time between short samples, printed as it learns: 30s. (default: on a terminal, at each validation)",
        transform: CommandSupport.Duration.init(parsing:))
    var sampleEvery: CommandSupport.Duration?

    @Option(parsing: .unconditional, help: "What these samples continue. (default: the start of a text)")
    var samplePrompt: String?

    @Option(parsing: .unconditional, help: "Their temperature; 0: the likeliest symbols. (default: 0.8)")
    var sampleTemperature: Double?

    func validate() throws {
        if let sampleTemperature, !(sampleTemperature >= 0 && sampleTemperature.isFinite) {
            throw ValidationError("--sample-temperature is \(sampleTemperature); it must be finite and at least 0")
        }
    }

    /// Whether they are printed.
    var areShown: Bool { sampleEvery != nil || Terminal.error.isInteractive }

    func plan() -> SamplePlan {
        var plan = SamplePlan()
        plan.every = sampleEvery?.seconds
        plan.atValidations = sampleEvery == nil && Terminal.error.isInteractive
        plan.prompt = samplePrompt ?? plan.prompt
        plan.temperature = sampleTemperature ?? plan.temperature
        return plan
    }
}

extension SamplePlan {
    /// A longer text of the model in a file, for the report; nil if it cannot be read.
    func text(of path: String, record: TrainingRecord) -> TrainingSample? {
        var plan = self
        plan.length = 600
        let step = record.bestStep ?? record.step
        return (try? LanguageModel(contentsOf: path)).flatMap {
            plan.text(of: $0, seed: record.options.seed, step: step)
        }.map { TrainingSample(step: step, text: $0) }
    }
}
