import CharacterModel
import Synchronization

/// Generates the texts of one model together: they join and leave between two symbols.
actor Scheduler {
    nonisolated let model: LanguageModel
    private nonisolated let name: String
    private nonisolated let metrics: Metrics
    private let batch: TextBatch
    private let limits: Limits
    private nonisolated let inbox = Mutex<(prompts: [PromptJob], texts: Int)>(([], 0))
    private nonisolated let wake: AsyncStream<Void>.Continuation
    private let wakes: AsyncStream<Void>
    private var reading: [Reading] = []
    private var running: [Running] = []
    private var cache = PrefixCache()
    /// Symbols of a prompt that are read between two symbols of the others.
    private static let slice = 64

    /// A prompt, and the texts that go on from it.
    struct PromptJob {
        var ids: [Int]
        /// Whether the symbols of the prompt are told too.
        var echoes: Bool
        var texts: [TextJob]
    }

    private struct Reading {
        var job: PromptJob
        var state: TextState
        var count: Int
    }

    private struct Running {
        var job: TextJob
        var generator: TextGenerator
        /// What the generator's state has read.
        var ids: [Int]
        var left: Int
    }

    init(_ model: LanguageModel, name: String, limits: Limits, metrics: Metrics, threads: Int?) {
        (self.model, self.name, self.limits, self.metrics) = (model, name, limits, metrics)
        batch = TextBatch(model, threads: threads)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a prompt.
    ///
    /// - Throws: `APIError` if too many texts wait.
    nonisolated func submit(_ job: PromptJob) throws(APIError) {
        let isTaken = inbox.withLock { inbox in
            guard inbox.texts + job.texts.count <= limits.streams + limits.queue else { return false }
            inbox.texts += job.texts.count
            inbox.prompts.append(job)
            return true
        }
        guard isTaken else { throw APIError(.tooMany, "too many texts wait; try again later") }
        wakeUp()
    }

    nonisolated func wakeUp() { wake.yield() }

    /// Runs until the task is cancelled.
    func run() async {
        var wakes = wakes.makeAsyncIterator()
        while !Task.isCancelled {
            if !advance() { _ = await wakes.next() } else { await Task.yield() }
        }
    }

    /// A slice of a prompt and a symbol of each text; false if there is nothing to do.
    private func advance() -> Bool {
        admit()
        reading.removeAll { isOver($0.job.texts) }
        let count = running.count
        running.removeAll { $0.job.isCancelled }
        // Not asked a second time: more may have gone meanwhile.
        release(count - running.count)
        let reads = readSlice()
        let writes = generate()
        let (running, waiting) = (running.count, inbox.withLock { $0.texts })
        metrics.update(name) { ($0.running, $0.waiting) = (running, waiting - running) }
        return writes || reads
    }

    private func isOver(_ texts: [TextJob]) -> Bool {
        guard texts.allSatisfy(\.isCancelled) else { return false }
        release(texts.count)
        return true
    }

    private func release(_ count: Int) { if count > 0 { inbox.withLock { $0.texts -= count } } }

    /// Takes prompts for which there is room.
    private func admit() {
        var room = limits.streams - running.count - reading.reduce(0) { $0 + $1.job.texts.count }
        let jobs = inbox.withLock { inbox in
            var taken: [PromptJob] = []
            inbox.prompts.removeAll { job in
                guard job.texts.allSatisfy(\.isCancelled) else { return false }
                inbox.texts -= job.texts.count
                return true
            }
            while let first = inbox.prompts.first, first.texts.count <= room || room == limits.streams {
                room -= first.texts.count
                taken.append(inbox.prompts.removeFirst())
            }
            return taken
        }
        for job in jobs {
            let known = job.echoes && job.texts.contains { $0.logprobs != nil } ? nil : cache.find(job.ids)
            let state = known?.state ?? TextState(model)
            reading.append(Reading(job: job, state: state, count: known?.count ?? 0))
            if job.echoes { echo(job, 0..<(known?.count ?? 0)) }
        }
    }

    /// Reads a slice of the prompt whose turn it is.
    private func readSlice() -> Bool {
        guard !reading.isEmpty else { return false }
        var next = reading.removeFirst()
        let part = next.count..<min(next.count + Self.slice, next.job.ids.count)
        if next.job.echoes && next.job.texts.contains(where: { $0.logprobs != nil }) {
            for place in part {
                let scores = place == 0 ? nil : next.state.logProbabilities
                let told = symbol(next.job.ids[place], scores, next.job.texts[0].logprobs)
                for text in next.job.texts { text.output.append(.symbol(told)) }
                next.state.read(CollectionOfOne(next.job.ids[place]))
            }
        } else {
            next.state.read(next.job.ids[part])
            if next.job.echoes { echo(next.job, part) }
        }
        next.count = part.upperBound
        metrics.update(name) { $0.promptSymbols += part.count }
        if next.count < next.job.ids.count {
            if next.count % 512 == 0 { cache.insert(Array(next.job.ids.prefix(next.count)), next.state) }
            reading.append(next)
        } else {
            cache.insert(next.job.ids, next.state)
            begin(next)
        }
        return true
    }

    private func echo(_ job: PromptJob, _ part: Range<Int>) {
        for place in part {
            for text in job.texts { text.output.append(.symbol(symbol(job.ids[place], nil, nil))) }
        }
    }

    private func begin(_ reading: Reading) {
        for job in reading.job.texts {
            guard job.maxTokens > 0 else {
                job.output.append(.end(.length))
                release(1)
                continue
            }
            let generator = TextGenerator(
                after: reading.state.copy(), symbols: reading.job.ids, strategy: job.settings.strategy,
                penalty: job.settings.penalty, mirostat: job.settings.mirostat, rules: job.settings.rules,
                seed: job.seed, stream: job.stream)
            running.append(Running(job: job, generator: generator, ids: reading.job.ids, left: job.maxTokens))
        }
    }

    /// A symbol of each text whose reader keeps up.
    private func generate() -> Bool {
        let places = running.indices.filter { running[$0].job.output.hasRoom }
        guard !places.isEmpty else { return false }
        let scores = places.map { running[$0].job.logprobs == nil ? nil : running[$0].generator.logProbabilities }
        let elements = batch.next(places.map { running[$0].generator })
        var ended = Set<Int>()
        for (index, place) in places.enumerated() {
            let job = running[place].job
            guard let element = elements[index] else {
                job.output.append(.end(.stop))
                ended.insert(place)
                continue
            }
            var found = symbol(element.id, scores[index], job.logprobs)
            found.logProbability = element.logProbability
            job.output.append(.symbol(found))
            running[place].ids.append(element.id)
            running[place].left -= 1
            if running[place].left == 0 {
                job.output.append(.end(.length))
                ended.insert(place)
                cache.insert(running[place].ids, running[place].generator.state)
            }
        }
        if !ended.isEmpty { running = running.indices.filter { !ended.contains($0) }.map { running[$0] } }
        release(ended.count)
        let symbols = elements.count { $0 != nil }
        metrics.update(name) { counts in
            counts.products += 1
            counts.rows += symbols
            counts.symbols += symbols
        }
        return true
    }

    private func symbol(_ id: Int, _ scores: [Double]?, _ count: Int?) -> GeneratedSymbol {
        let symbols = model.vocabulary.symbols
        let bytes = id < symbols.count ? symbols[id].bytes : Array("\u{FFFD}".utf8)
        var found = GeneratedSymbol(id: id, bytes: bytes, logProbability: scores?[id])
        if let scores, let count, count > 0 {
            found.likeliest = Self.highest(count, of: scores.prefix(symbols.count))
        }
        return found
    }

    /// The highest scores with their ids, the highest first; the order of equal ones is that of their ids.
    private static func highest(_ count: Int, of scores: ArraySlice<Double>) -> [(id: Int, logProbability: Double)] {
        var found: [(id: Int, logProbability: Double)] = []
        for (id, score) in scores.enumerated() where found.count < count || score > found[count - 1].logProbability {
            let place = found.firstIndex { $0.logProbability < score } ?? found.count
            found.insert((id, score), at: place)
            if found.count > count { found.removeLast() }
        }
        return found
    }
}
