import CharacterModel
import CommandSupport

/// How samples are drawn, and the seed of their random numbers.
struct Sampling {
    let seed: UInt64
    /// Whether the seed was chosen at random, so that it must be printed.
    let isSeedDrawn: Bool
    private let strategy: SamplingStrategy
    private let penalty: RepetitionPenalty
    private let mirostat: Mirostat?
    private let rules: SymbolRules
    private let isExact: Bool
    private let longestCopy: Int?

    init(_ options: SamplingOptions, for model: LanguageModel) throws {
        strategy = try options.strategy()
        penalty = try options.penalty()
        mirostat = try options.surprise()
        rules = try options.rules(model)
        isExact = options.exact
        longestCopy = options.maxCopy
        if longestCopy != nil && !model.hasCounts {
            throw UsageError("this model has no counts, which copy; drop --max-copy")
        }
        seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        isSeedDrawn = options.seed == nil && strategy != .greedy
    }

    /// Whether every draw gives the same text.
    var isGreedy: Bool { strategy == .greedy }

    func generator(_ model: LanguageModel, prompt: [UInt8], stream: Int) throws -> TextGenerator {
        try model.generator(
            promptBytes: prompt, strategy: strategy, penalty: penalty, mirostat: mirostat, rules: rules, seed: seed,
            stream: UInt64(stream), isExact: isExact, longestCopy: longestCopy)
    }
}
