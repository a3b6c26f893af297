import Synchronization

/// A text that is to be generated.
final class TextJob: Sendable {
    /// Selects one of the texts of a seed.
    let stream: UInt64
    let seed: UInt64
    let settings: CompletionRequest.Sampling.Settings
    let maxTokens: Int
    /// How many likely symbols are told of each; nil: none.
    let logprobs: Int?
    let output: SymbolQueue
    private let cancelled = Atomic(false)

    init(
        stream: UInt64, seed: UInt64, settings: CompletionRequest.Sampling.Settings, maxTokens: Int, logprobs: Int?,
        output: SymbolQueue
    ) {
        (self.stream, self.seed, self.settings) = (stream, seed, settings)
        (self.maxTokens, self.logprobs, self.output) = (maxTokens, logprobs, output)
    }

    /// The reader is gone, or has what it wanted.
    func cancel() {
        cancelled.store(true, ordering: .relaxed)
        output.close()
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
}
