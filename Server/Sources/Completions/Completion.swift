import CharacterModel
import Synchronization

/// A request that is being answered: its texts advance, and their parts are read as they come.
public final class Completion: Sendable {
    private let request: CompletionRequest
    private let jobs: [TextJob]
    private let prompts: [[Int]]
    private let lease: ModelTable.Lease
    private let metrics: Metrics
    private let begin = ContinuousClock.now
    /// Whether its first symbol has come.
    private let hasBegun = Atomic(false)
    private var scheduler: Scheduler { lease.scheduler }
    public let seed: UInt64

    /// Begins a request.
    ///
    /// - Throws: `APIError` for what the model refuses, and if too many texts wait.
    init(
        _ request: CompletionRequest, on lease: ModelTable.Lease, limits: Limits, metrics: Metrics
    ) throws(APIError) {
        (self.request, self.lease, self.metrics) = (request, lease, metrics)
        let scheduler = lease.scheduler
        let seed = request.seed ?? UInt64.random(in: 0..<1 << 53)
        self.seed = seed
        let count = request.prompts.count * request.choices
        guard count <= limits.streams + limits.queue else {
            throw APIError("n", is: "\(count) texts in all", mustBe: "at most \(limits.streams + limits.queue)")
        }
        let settings = try request.sampling.settings(for: scheduler.model.vocabulary)
        var (prompts, jobs, submissions) = ([[Int]](), [TextJob](), [Scheduler.PromptJob]())
        var told = 0
        let mostTold = request.logprobs == nil ? limits.answer : limits.answerLogprobs
        for prompt in request.prompts {
            let ids: [Int]
            do { ids = try scheduler.model.symbols(of: Array(scheduler.model.lastRecord(of: prompt).utf8)) } catch {
                throw APIError(.badRequest, "\(error)", parameter: "prompt")
            }
            guard ids.count <= limits.prompt else {
                throw APIError("prompt", is: "\(ids.count) symbols long", mustBe: "at most \(limits.prompt)")
            }
            told += ((request.streams ? 0 : request.maxTokens) + (request.echoes ? ids.count : 0)) * request.choices
            guard told <= mostTold else {
                throw APIError(
                    "max_tokens", is: "too large: \(told) symbols to tell", mustBe: "at most \(mostTold) in all")
            }
            let texts = (0..<request.choices).map { choice in
                TextJob(
                    stream: UInt64(choice), seed: seed, settings: settings, maxTokens: request.maxTokens,
                    logprobs: request.logprobs,
                    output: SymbolQueue(limit: limits.unread + (request.echoes ? ids.count : 0)) { scheduler.wakeUp() })
            }
            prompts.append(ids)
            jobs += texts
            submissions.append(.init(ids: ids, echoes: request.echoes, texts: texts))
        }
        (self.prompts, self.jobs) = (prompts, jobs)
        for submission in submissions {
            do throws(APIError) { try scheduler.submit(submission) } catch {
                cancel()
                throw error
            }
        }
    }

    /// Nobody may have read it: the client has gone before its answer began.
    deinit { cancel() }

    /// Ends all texts; what they have made is forgotten.
    public func cancel() {
        for job in jobs { job.cancel() }
        scheduler.wakeUp()
    }

    /// Reads all texts as they come, each part of a choice as soon as there is one.
    ///
    /// - Parameter body: called with parts of choices; one at a time.
    /// - Returns: the numbers of symbols.
    public func read(
        pausing pause: Duration = .zero, _ body: @escaping @Sendable (CompletionResponse.Choice) async throws -> Void
    ) async throws -> CompletionResponse.Usage {
        let total = try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in jobs.indices {
                    group.addTask { try await self.readChoice(index, pausing: pause, body) }
                }
                do { return try await group.reduce(0, +) } catch {
                    cancel()
                    throw error
                }
            }
        } onCancel: {
            cancel()
        }
        return CompletionResponse.Usage(promptTokens: prompts.reduce(0) { $0 + $1.count }, completionTokens: total)
    }

    /// - Returns: the symbols that were generated.
    private func readChoice(
        _ index: Int, pausing pause: Duration, _ body: @Sendable (CompletionResponse.Choice) async throws -> Void
    ) async throws -> Int {
        let job = jobs[index]
        let prompt = request.echoes ? prompts[index / request.choices].count : 0
        var assembler = ChoiceAssembler(stops: request.stops, prompt: prompt)
        var (offset, count) = (0, -prompt)
        while !assembler.isOver {
            let events = await job.output.next()
            try Task.checkCancellation()
            if events.isEmpty { throw CancellationError() }
            if !hasBegun.exchange(true, ordering: .relaxed) { metrics.firstSymbol(after: .now - begin) }
            let part = assembler.take(events)
            count += part.symbols.count
            if assembler.isOver { job.cancel() }
            if !part.isEmpty {
                try await body(choice(index, part, &offset))
                // Symbols that come soon after one another are told together.
                if !assembler.isOver && pause > .zero { try await Task.sleep(for: pause) }
            }
        }
        return count
    }

    private func choice(
        _ index: Int, _ part: ChoiceAssembler.Part, _ offset: inout Int
    ) -> CompletionResponse.Choice {
        var choice = CompletionResponse.Choice(
            index: index, text: part.text, finishReason: part.end?.rawValue,
            stopReason: part.stop)
        if let wanted = request.logprobs {
            var told = CompletionResponse.Logprobs()
            if wanted > 0 { told.topLogprobs = [] }
            let symbols = scheduler.model.vocabulary.symbols
            for symbol in part.symbols {
                let text = String(decoding: symbol.bytes, as: UTF8.self)
                told.tokens.append(text)
                told.tokenLogprobs.append(symbol.logProbability)
                told.textOffset.append(offset)
                told.topLogprobs?.append(
                    Dictionary(
                        symbol.likeliest.map { (symbols[$0.id].text, $0.logProbability) },
                        uniquingKeysWith: { max($0, $1) }))
                // A code point may have several symbols: those behind the first begin none.
                offset += symbol.bytes.count { $0 & 0xC0 != 0x80 }
            }
            choice.logprobs = told
        }
        return choice
    }
}
