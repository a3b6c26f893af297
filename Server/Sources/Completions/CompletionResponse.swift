/// A completion as OpenAI's clients read it; also a part of one, in a stream.
public struct CompletionResponse: Encodable, Sendable {
    public struct Choice: Encodable, Sendable {
        public var index: Int
        public var text: String
        public var logprobs: Logprobs?
        public var finishReason: String?
        /// The stop that ended the text; nil if the model ended a record.
        public var stopReason: String?

        enum CodingKeys: String, CodingKey {
            case index, text, logprobs
            case finishReason = "finish_reason"
            case stopReason = "stop_reason"
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(index, forKey: .index)
            try container.encode(text, forKey: .text)
            // Theirs says null, and clients look for it.
            try container.encode(logprobs, forKey: .logprobs)
            try container.encode(finishReason, forKey: .finishReason)
            try container.encodeIfPresent(stopReason, forKey: .stopReason)
        }
    }

    /// What is told of each symbol.
    public struct Logprobs: Encodable, Sendable {
        public var tokens: [String] = []
        public var tokenLogprobs: [Double?] = []
        public var topLogprobs: [[String: Double]]?
        /// Where each symbol begins in the text of the choice, in Unicode code points.
        public var textOffset: [Int] = []

        enum CodingKeys: String, CodingKey {
            case tokens
            case tokenLogprobs = "token_logprobs"
            case topLogprobs = "top_logprobs"
            case textOffset = "text_offset"
        }
    }

    /// Numbers of symbols.
    public struct Usage: Encodable, Sendable {
        public var promptTokens: Int
        public var completionTokens: Int
        /// What a token is.
        public var unit = "symbol"

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case completionTokens = "completion_tokens"
            case totalTokens = "total_tokens"
            case unit
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(promptTokens, forKey: .promptTokens)
            try container.encode(completionTokens, forKey: .completionTokens)
            try container.encode(promptTokens + completionTokens, forKey: .totalTokens)
            try container.encode(unit, forKey: .unit)
        }
    }

    public var id: String
    public let object = "text_completion"
    /// Seconds since 1970.
    public var created: Int
    public var model: String
    public var choices: [Choice]
    public var usage: Usage?
    /// The seed that gives the same texts again.
    public var seed: UInt64
    /// The weights that the log-probabilities come from.
    public let weights = "rounded to bfloat16"

    enum CodingKeys: String, CodingKey { case id, object, created, model, choices, usage, seed, weights }
}
