/// What a server takes at most, so that no request can exhaust the machine.
public struct Limits: Sendable {
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
    /// Stops of a request, and bytes of each; likewise bans.
    public var stops = 16
    public var stopBytes = 1_024
    /// Biases of a request.
    public var biases = 1_024
    /// Symbols of a prompt that is echoed with log-probabilities.
    public var echoedLogprobs = 10_000
    /// Texts that are generated at once; others wait.
    public var streams = 128
    /// Texts that wait; more are refused.
    public var queue = 256
    /// Symbols of a text that is scored.
    public var scored = 200_000
    /// Symbols that are scored at once, over all requests.
    public var scoredAtOnce = 1_000_000
    /// Models that are in memory.
    public var models = 4
    /// Symbols of a text that wait for a slow reader; the text goes on when they are read.
    public var unread = 4_096

    public init() {}
}
