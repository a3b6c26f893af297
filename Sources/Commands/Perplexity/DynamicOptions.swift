import ArgumentParser
import CharacterModel
import CommandSupport
import Reports
import Tokenization

struct DynamicOptions: ParsableArguments {
    @Flag(help: "Also scores the text while the weights adapt to it, which suits repetitive texts.")
    var dynamic = false

    @Option(parsing: .unconditional, help: "How fast the weights adapt. (default: \(DynamicRates().learningRate))")
    var dynamicRate: Double?

    @Option(
        parsing: .unconditional,
        help: "How fast they decay back to the trained weights. (default: \(DynamicRates().decay))")
    var dynamicDecay: Double?

    @Option(parsing: .unconditional, help: "Tunes both rates on a text that is not scored.", completion: .file())
    var dynamicTune: String?

    func validate() throws {
        if !dynamic && (dynamicRate != nil || dynamicDecay != nil || dynamicTune != nil) {
            throw ValidationError("--dynamic-rate, --dynamic-decay and --dynamic-tune need --dynamic; add it")
        }
        if dynamicTune != nil && (dynamicRate != nil || dynamicDecay != nil) {
            throw ValidationError("--dynamic-tune chooses the rates; drop --dynamic-rate and --dynamic-decay")
        }
        if let dynamicRate, !(dynamicRate > 0 && dynamicRate.isFinite) {
            throw ValidationError("--dynamic-rate is \(dynamicRate); it must be finite and above 0")
        }
        if let dynamicDecay, !(dynamicDecay >= 0 && dynamicDecay.isFinite) {
            throw ValidationError("--dynamic-decay is \(dynamicDecay); it must be finite and at least 0")
        }
    }

    /// The text to tune the rates on, if any.
    func readTuningText(besides corpus: Corpus, _ read: ([String]) throws -> Corpus) throws -> Corpus? {
        guard let path = dynamicTune else { return nil }
        let other = try read([path])
        guard other.sha256 != corpus.sha256 else {
            throw UsageError("--dynamic-tune \(path) is the text that is scored; give another one")
        }
        return other
    }

    /// Scores a text with dynamic evaluation, if requested.
    func evaluate(
        _ corpus: Corpus, with model: LanguageModel, state: StatePolicy, threads: Int, tuningOn other: Corpus?
    ) throws -> (score: Likelihood, rates: DynamicRates)? {
        guard dynamic else { return nil }
        var rates = DynamicRates()
        rates.learningRate = dynamicRate ?? rates.learningRate
        rates.decay = dynamicDecay ?? rates.decay
        if let other {
            StandardError.print("dynamic rate, decay: nats per symbol of \(other.name)")
            rates = try model.tuneDynamicRates(
                other, state: state, threads: threads,
                observe: { rates, nats in
                    StandardError.print("\(rates.learningRate), \(rates.decay): \(formatted(nats, decimals: 4))")
                })
        }
        return (try model.evaluateDynamically(corpus, state: state, rates: rates, threads: threads), rates)
    }
}
