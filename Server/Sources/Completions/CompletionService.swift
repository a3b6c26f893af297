import CharacterModel
import FoundationEssentials

/// Answers requests with the models of a table.
public final class CompletionService: Sendable {
    public let table: ModelTable
    public let limits: Limits
    let inFlight = Load()

    public init(_ table: ModelTable, limits: Limits) { (self.table, self.limits) = (table, limits) }

    /// Begins to answer a request.
    ///
    /// - Throws: `APIError`.
    public func begin(_ request: CompletionRequest) async throws -> Answer {
        let lease = try await table.lease(request.model)
        let head = CompletionResponse(
            id: "cmpl-\(UUID().uuidString.lowercased())", created: Int(Date.now.timeIntervalSince1970),
            model: lease.name, choices: [], seed: 0)
        return Answer(
            request: request, head: head,
            completion: try Completion(request, on: lease, limits: limits, metrics: table.metrics))
    }
}

/// An answer that is being made.
public struct Answer: Sendable {
    let request: CompletionRequest
    private var head: CompletionResponse
    private let completion: Completion

    init(request: CompletionRequest, head: CompletionResponse, completion: Completion) {
        (self.request, self.head, self.completion) = (request, head, completion)
        self.head.seed = completion.seed
    }

    /// The whole answer.
    ///
    /// - Throws: `CancellationError` if the task is cancelled.
    public func whole() async throws -> CompletionResponse {
        let choices = Choices(count: request.prompts.count * request.choices)
        var answer = head
        answer.usage = try await completion.read { await choices.add($0) }
        answer.choices = await choices.all
        return answer
    }

    /// The answer in parts, as they come; symbols that come within 20 ms are in one part.
    public func parts(_ body: @escaping @Sendable (CompletionResponse) async throws -> Void) async throws {
        let usage = try await completion.read(pausing: .milliseconds(20)) { [head] choice in
            var part = head
            part.choices = [choice]
            try await body(part)
        }
        guard request.includesUsage else { return }
        var last = head
        last.usage = usage
        try await body(last)
    }

    /// Ends an answer that nobody waits for.
    public func cancel() { completion.cancel() }
}

/// The choices of an answer, as their parts come.
private actor Choices {
    private(set) var all: [CompletionResponse.Choice]

    init(count: Int) { all = (0..<count).map { CompletionResponse.Choice(index: $0, text: "") } }

    func add(_ part: CompletionResponse.Choice) {
        all[part.index].text += part.text
        all[part.index].finishReason = part.finishReason
        all[part.index].stopReason = part.stopReason
        guard let logprobs = part.logprobs else { return }
        var known = all[part.index].logprobs ?? CompletionResponse.Logprobs()
        known.tokens += logprobs.tokens
        known.tokenLogprobs += logprobs.tokenLogprobs
        known.textOffset += logprobs.textOffset
        if let top = logprobs.topLogprobs { known.topLogprobs = (known.topLogprobs ?? []) + top }
        all[part.index].logprobs = known
    }
}
