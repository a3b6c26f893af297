/// What a server takes at most, so that no request can exhaust the machine.
public struct Limits: Sendable {
    public var connections = 256
    /// Bytes of a request's body.
    public var body = 1_048_576
    /// Symbols of a prompt.
    public var prompt = 100_000
    /// Prompts of a request.
    public var prompts = 32
    /// Symbols that one text may have.
    public var maxTokens = 100_000
    /// Texts for each prompt.
    public var choices = 32
    /// Stops of a request; likewise bans.
    public var stops = 16
    /// Bytes of a stop or ban.
    public var stopBytes = 1_024
    /// Biases of a request.
    public var biases = 1_024
    /// Symbols of all texts of an answer that is not streamed, and of all prompts that are echoed.
    public var answer = 200_000
    /// The same with log-probabilities.
    public var answerLogprobs = 20_000
    /// Texts of a model that are generated at once; others wait.
    public var streams = 128
    /// Texts of a model that wait; more are refused.
    public var queue = 256
    /// Symbols of a text that is scored.
    public var scored = 100_000
    /// Symbols that are scored at once, over all requests.
    public var scoredAtOnce = 400_000
    /// Models that are in memory.
    public var models = 4
    /// Symbols of a text that wait for a slow reader; the text goes on when they are read.
    public var unread = 4_096
    /// Seconds in which a request must have come, after the connection was made or the last answer was given.
    public var requestSeconds = 30
    /// Seconds for which a reader may take nothing of its answer.
    public var readerSeconds = 30

    public init() {}

    /// A limit that can be set by name.
    public struct Setting: Sendable {
        public let name: String
        let path: WritableKeyPath<Limits, Int> & Sendable
        public let range: ClosedRange<Int>
        /// What it limits, in a few words.
        public let about: String

        public func value(in limits: Limits) -> Int { limits[keyPath: path] }
    }

    public static let settings: [Setting] = [
        Setting(name: "connections", path: \.connections, range: 1...65_536, about: "connections at once"),
        Setting(name: "body", path: \.body, range: 1_024...1 << 30, about: "bytes of a request"),
        Setting(name: "prompt", path: \.prompt, range: 1...1 << 30, about: "symbols of a prompt"),
        Setting(name: "prompts", path: \.prompts, range: 1...65_536, about: "prompts of a request"),
        Setting(name: "max-tokens", path: \.maxTokens, range: 1...1 << 30, about: "symbols of a text"),
        Setting(name: "n", path: \.choices, range: 1...65_536, about: "texts for a prompt"),
        Setting(name: "stops", path: \.stops, range: 1...65_536, about: "stops of a request, and bans"),
        Setting(name: "stop-bytes", path: \.stopBytes, range: 1...65_536, about: "bytes of a stop or ban"),
        Setting(name: "biases", path: \.biases, range: 1...1 << 20, about: "biases of a request"),
        Setting(name: "answer", path: \.answer, range: 1...1 << 30, about: "symbols of an answer that is not streamed"),
        Setting(name: "answer-logprobs", path: \.answerLogprobs, range: 1...1 << 30, about: "the same with logprobs"),
        Setting(name: "streams", path: \.streams, range: 1...65_536, about: "texts of a model generated at once"),
        Setting(name: "queue", path: \.queue, range: 0...1 << 20, about: "texts of a model that wait"),
        Setting(name: "scored", path: \.scored, range: 1...1 << 30, about: "symbols of a text that is scored"),
        Setting(
            name: "scored-at-once", path: \.scoredAtOnce, range: 1...1 << 40, about: "symbols scored at once"),
        Setting(name: "models", path: \.models, range: 1...65_536, about: "models in memory"),
        Setting(name: "unread", path: \.unread, range: 64...1 << 24, about: "symbols that wait for a slow reader"),
        Setting(
            name: "request-seconds", path: \.requestSeconds, range: 1...3_600, about: "seconds for a request to come"),
        Setting(
            name: "reader-seconds", path: \.readerSeconds, range: 1...3_600,
            about: "seconds for which a reader may stall"),
    ]

    /// Sets a limit, as in `streams=64`.
    ///
    /// - Throws: `APIError` for an unknown name, or a value that it cannot have.
    public mutating func set(_ text: String) throws(APIError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let setting = Self.settings.first(where: { $0.name == parts[0] }) else {
            let names = Self.settings.map(\.name).joined(separator: ", ")
            throw APIError(.badRequest, "there is no limit \(text); write NAME=NUMBER with one of \(names)")
        }
        guard let value = Int(parts[1]), setting.range.contains(value) else {
            throw APIError(
                String(parts[0]), is: String(parts[1]),
                mustBe: "a number from \(setting.range.lowerBound) to \(setting.range.upperBound)")
        }
        self[keyPath: setting.path] = value
    }
}
