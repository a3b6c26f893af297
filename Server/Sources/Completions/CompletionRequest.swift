import CharacterModel
import Tokenization

/// A request for completions, as OpenAI's clients send it, with extensions for a character model.
///
/// A token is a symbol of the model.
public struct CompletionRequest: Sendable {
    public var model: String?
    public var prompts: [String]
    /// Symbols of each text at most.
    public var maxTokens: Int
    /// Texts for each prompt.
    public var choices: Int
    public var streams: Bool
    /// Whether a stream ends with the numbers of symbols.
    public var includesUsage: Bool
    public var stops: [String]
    /// nil: a new one for each request.
    public var seed: UInt64?
    public var echoes: Bool
    /// How many likely symbols are told of each; nil: no log-probabilities.
    public var logprobs: Int?
    public var sampling: Sampling

    /// How symbols are chosen, before it is known for which model.
    public struct Sampling: Sendable {
        public var temperature: Double
        public var topP: Double?
        public var topK: Int?
        public var minP: Double?
        public var typical: Double?
        /// In bits.
        public var mirostat: Double?
        public var repetitionPenalty: Double?
        public var bans: [String]
        /// By id or symbol, as in the request.
        public var biases: [String: Double]
    }

    /// - Throws: `APIError` for unknown fields, and values that they cannot have.
    public init(_ body: JSONValue, limits: Limits) throws(APIError) {
        var fields = try Fields(body)
        model = try fields.string("model")
        prompts = try fields.strings("prompt", count: 1...limits.prompts, bytes: limits.body) ?? [""]
        maxTokens = try fields.integer("max_tokens", in: 0...limits.maxTokens) ?? 16
        choices = try fields.integer("n", in: 1...limits.choices) ?? 1
        streams = try fields.bool("stream") ?? false
        var options = try Fields(.object(fields.object("stream_options") ?? [:]))
        includesUsage = try options.bool("include_usage") ?? false
        try options.end()
        stops = try fields.strings("stop", count: 0...limits.stops, bytes: limits.stopBytes) ?? []
        if stops.contains("") { throw APIError("stop", is: "an empty string", mustBe: "a text") }
        seed = try fields.integer("seed", in: 0...Self.largestInteger).map(UInt64.init)
        echoes = try fields.bool("echo") ?? false
        logprobs = try fields.integer("logprobs", in: 0...Self.candidates)
        sampling = try Sampling(&fields, limits: limits)
        try fields.refuse("suffix", unless: .string(""), instead: "the model reads from left to right")
        try fields.refuse("best_of", unless: .number(Double(choices)), instead: "ask for several texts with n")
        fields.ignore("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key")
        try fields.end()
    }

    /// Numbers in JSON are exact up to here.
    private static let largestInteger = 1 << 53
    /// The most likely symbols that may be asked for.
    static let candidates = 5
}

extension CompletionRequest.Sampling {
    fileprivate init(_ fields: inout Fields, limits: Limits) throws(APIError) {
        temperature = try fields.number("temperature", in: 0...100) ?? 1
        topP = try fields.number("top_p", in: 0...1).flatMap { $0 == 1 ? nil : $0 }
        topK = try fields.integer("top_k", in: 1...1_000_000)
        minP = try fields.number("min_p", in: 0...1)
        typical = try fields.number("typical", in: 0...1)
        mirostat = try fields.number("mirostat", in: 0.01...64)
        repetitionPenalty = try fields.number("repetition_penalty", in: 0.01...100)
        bans = try fields.strings("ban", count: 0...limits.stops, bytes: limits.stopBytes) ?? []
        biases = [:]
        let given = try fields.object("logit_bias") ?? [:]
        guard given.count <= limits.biases else {
            throw APIError("logit_bias", is: "\(given.count) biases", mustBe: "at most \(limits.biases)")
        }
        for (symbol, value) in given {
            guard case .number(let bias) = value, (-100...100).contains(bias) else {
                throw APIError(
                    .badRequest, "logit_bias of \(symbol.prefix(16)) must be a number from -100 to 100",
                    parameter: "logit_bias")
            }
            biases[symbol] = bias
        }
        for name in ["presence_penalty", "frequency_penalty"] {
            try fields.refuse(name, unless: .number(0), instead: "use repetition_penalty")
        }
    }

    /// What a generator of a model needs.
    ///
    /// - Throws: `APIError` for values that the model or the library refuses.
    func settings(for vocabulary: Vocabulary) throws(APIError) -> Settings {
        do throws(SamplingError) {
            let filter = try SamplingFilter(topK: topK, topP: topP, minP: minP, typical: typical)
            return Settings(
                strategy: temperature == 0 ? .greedy : .sampled(try Temperature(temperature), keeping: filter),
                penalty: try repetitionPenalty.map { value throws(SamplingError) in try RepetitionPenalty(value) }
                    ?? .none,
                mirostat: try mirostat.map { value throws(SamplingError) in try Mirostat(target: value) },
                rules: try SymbolRules(bans: bans, biases: named(vocabulary), vocabulary: vocabulary))
        } catch {
            // As the request names it.
            let name = error.name == "bias" ? "logit_bias" : error.name.replacing("-", with: "_")
            let message = error.description.replacing(error.name, with: name, maxReplacements: 1)
            throw APIError(.badRequest, message, parameter: name)
        }
    }

    /// Biases by symbol. A key that is a symbol of the vocabulary is meant as one, even if it is a number; others are ids.
    private func named(_ vocabulary: Vocabulary) -> [(symbol: String, value: Double)] {
        biases.sorted { $0.key < $1.key }.map { key, value in
            let isSymbol = vocabulary.id(of: Symbol(key)) != vocabulary.unknown
            if !isSymbol, let id = Int(key), vocabulary.symbols.indices.contains(id) {
                return (vocabulary.symbols[id].text, value)
            }
            return (key, value)
        }
    }

    struct Settings {
        var strategy: SamplingStrategy
        var penalty: RepetitionPenalty
        var mirostat: Mirostat?
        var rules: SymbolRules
    }
}
