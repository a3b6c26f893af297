import Cluster
import Concurrency
import LinearAlgebra
import RecurrentNetwork

extension Network {
    /// The nats of a text, each symbol scored once with context, in parallel lanes.
    ///
    /// Each lane is warmed up on the symbols before its part. The result is close to
    /// ``scoreExactly(_:using:isCancelled:_:)``, and much faster.
    ///
    /// - Parameter isCancelled: polled regularly; returning true stops the work.
    /// - Returns: total nats, including the spelling of unknown symbols; nil if cancelled.
    package func scoreInLanes(
        _ text: EncodedText, using workers: Workers, isCancelled: @Sendable () -> Bool = { false }
    ) -> Double? {
        let (warmup, window) = (256, 64)
        guard text.count > 0 else { return 0 }
        let lanes = max(1, min(64, text.count / (2 * warmup)))
        let length = (text.count + lanes - 1) / lanes
        let all = stride(from: 0, to: text.count, by: length).map { first in
            Lane(origin: first - warmup, scored: first..<min(first + length, text.count), startsFresh: false)
        }
        let shards = stride(from: 0, to: all.count, by: 8).map { all[$0..<min($0 + 8, all.count)] }
        let sums = Matrix<Double>(rows: 1, columns: shards.count)
        workers.forEach(shards.count) { index in
            let shard = Shard<Scalar>(model, lanes: shards[index].count, steps: window, learns: false)
            for first in stride(from: 0, to: warmup + length, by: window) where !isCancelled() {
                let steps = min(window, warmup + length - first)
                _ = shard.input.fill(shards[index], of: text, first: first, steps: steps)
                shard.forward(self, steps: steps)
                sums.view[0, index] += shard.loss(steps: steps, scale: 1)
                shard.advance(steps: steps)
            }
        }
        return isCancelled() ? nil : sums.elements.reduce(text.spellingNats, +)
    }

    /// The nats of each symbol of a text, read in one lane from its boundary to its end.
    ///
    /// Parts of the text between state resets are independent, so threads score them in parallel if there are enough of
    /// them. Otherwise threads share the layers, one part after the other. The nats are bit-identical either way.
    ///
    /// - Parameters:
    ///   - cluster: the ranks that share the parts, all of which run this; `body` is called on rank 0 only.
    ///   - predicts: whether to compute predictions too, which takes more time.
    ///   - isCancelled: polled regularly; returning true stops the work.
    ///   - body: called with each symbol in order: its position, its index in the corpus, its nats (including the
    ///     spelling of an unknown symbol), and the prediction at its position.
    /// - Returns: false if it was cancelled, or another rank failed.
    package func scoreExactly(
        _ text: EncodedText, using workers: Workers, predicts: Bool = false, on cluster: Cluster? = nil,
        isCancelled: @Sendable () -> Bool = { false },
        _ body: (_ position: Int, _ symbol: Int32, _ nats: Double, _ prediction: Prediction?) -> Void
    ) -> Bool {
        func tell(_ range: Range<Int>, _ scores: SymbolScores) {
            text.forEachSymbol(in: range) { position, symbol in
                let at = position - range.lowerBound
                body(
                    position, symbol, scores.nats.view[0, at] + text.spelling(ofSymbol: symbol),
                    predicts ? scores.predictions.view[0, at] : nil)
            }
        }
        var parts: [Range<Int>] = []
        var held: Int { parts.last.map { $0.upperBound - parts[0].lowerBound } ?? 0 }
        var isComplete = true
        func score() {
            defer { parts = [] }
            guard isComplete && !isCancelled() else { return }
            isComplete = self.score(
                parts, of: text, using: workers, predicts: predicts, on: cluster, isCancelled: isCancelled, tell)
        }
        let ranks = cluster?.ranks ?? 1
        let limit = (predicts ? 1 << 18 : 1 << 21) * ranks
        text.forEachPart(ofAtLeast: 4_096) { part in
            // A long part is scored on its own, and its nats are reported as they are computed.
            if part.count > limit && cluster == nil { score() }
            parts.append(part)
            if held > limit && parts.count >= ranks { score() }
        }
        score()
        return isComplete && !isCancelled()
    }

    /// Scores parts of a text, and tells the scores in order. False if another rank failed.
    private func score(
        _ parts: [Range<Int>], of text: EncodedText, using workers: Workers, predicts: Bool, on cluster: Cluster?,
        isCancelled: @Sendable () -> Bool, _ tell: (Range<Int>, SymbolScores) -> Void
    ) -> Bool {
        if let cluster, parts.count > 1 {
            return ScoreSharing(cluster, parts, predicts: predicts).run(tell) { own, scores in
                score(own, of: text, into: scores, using: workers, predicts: predicts, isCancelled: isCancelled)
            }
        }
        // A single part cannot be shared: it is rank 0's.
        guard cluster?.isLeader ?? true, let first = parts.first?.lowerBound, let end = parts.last?.upperBound else {
            return true
        }
        if parts.count >= 2 * workers.count {
            let scores = SymbolScores(end - first, predicts: predicts)
            score(parts, of: text, into: scores, using: workers, predicts: predicts, isCancelled: isCancelled)
            if !isCancelled() { tell(first..<end, scores) }
        } else {
            for part in parts where !isCancelled() {
                score(part, of: text, using: workers, predicts: predicts, isCancelled: isCancelled, tell)
            }
        }
        return true
    }

    /// Scores consecutive parts into memory that begins with the first of them.
    private func score(
        _ parts: [Range<Int>], of text: EncodedText, into scores: SymbolScores, using workers: Workers,
        predicts: Bool, isCancelled: @Sendable () -> Bool
    ) {
        let first = parts[0].lowerBound
        if parts.count >= 2 * workers.count {
            workers.forEach(parts.count) { index in
                let part = parts[index]
                score(part, of: text, into: scores, from: part.lowerBound - first, isCancelled: isCancelled)
            }
            return
        }
        for part in parts {
            score(part, of: text, using: workers, predicts: predicts, isCancelled: isCancelled) { range, chunk in
                scores.copy(chunk, count: range.count, to: range.lowerBound - first)
            }
        }
    }

    /// Scores a part of a text in chunks of steps, one after the other.
    private func score(
        _ part: Range<Int>, of text: EncodedText, into scores: SymbolScores, from place: Int,
        isCancelled: @Sendable () -> Bool
    ) {
        let lane = [Lane(origin: part.lowerBound, scored: part, startsFresh: false)]
        let shard = Shard<Scalar>(model, lanes: 1, steps: min(256, part.count), learns: false)
        for first in stride(from: 0, to: part.count, by: shard.capacity) where !isCancelled() {
            let steps = min(shard.capacity, part.count - first)
            _ = shard.input.fill(lane, of: text, first: first, steps: steps)
            shard.forward(self, steps: steps)
            _ = shard.loss(steps: steps, scale: 1)
            scores.set(from: place + first, steps: steps, of: shard)
            shard.advance(steps: steps)
        }
    }

    /// Scores a part of a text in chunks of steps, as a pipeline: while a layer reads one chunk, the projection into
    /// the layer above, that layer and the decoder work on earlier chunks. Each chunk in flight has its own shard.
    private func score(
        _ part: Range<Int>, of text: EncodedText, using workers: Workers, predicts: Bool,
        isCancelled: @Sendable () -> Bool, _ body: (Range<Int>, SymbolScores) -> Void
    ) {
        let lane = [Lane(origin: part.lowerBound, scored: part, startsFresh: false)]
        let (layers, size) = (model.layers, min(256, part.count))
        let chunks = (part.count + size - 1) / size
        // Stages: layer 0, then a projection and a recurrence for each layer above, then the decoder.
        let stages = 2 * layers
        let shards = (0..<stages).map { _ in Shard<Scalar>(model, lanes: 1, steps: size, learns: false) }
        let scores = (0..<stages).map { _ in SymbolScores(size, predicts: predicts) }
        @Sendable func run(_ task: PipelineTask, _ chunk: Int) {
            let (first, shard) = (chunk * size, shards[chunk % stages])
            let steps = min(size, part.count - first)
            switch task {
            case .recurrence(let layer):
                if layer == 0 {
                    _ = shard.input.fill(lane, of: text, first: first, steps: steps)
                    shard.project(self, layer: 0, steps: 0..<steps)
                }
                shard.recur(self, layer: layer, steps: steps)
                shard.hand(layer: layer, after: steps, to: shards[(chunk + 1) % stages])
            case .projection(let layer, let part, let parts):
                let range = part * steps / parts..<(part + 1) * steps / parts
                if !range.isEmpty { shard.project(self, layer: layer, steps: range) }
            case .decoder:
                shard.decode(self, steps: steps)
                _ = shard.loss(steps: steps, scale: 1)
                scores[chunk % stages].set(from: 0, steps: steps, of: shard)
            }
        }
        // The longest tasks first; projections are split, so that threads finish together.
        let tasks =
            (0..<layers).map { PipelineTask.recurrence(layer: $0) }
            + (1..<layers).flatMap { layer in (0..<4).map { .projection(layer: layer, part: $0, of: 4) } }
            + [.decoder]
        for round in 0..<chunks + stages - 1 where !isCancelled() {
            workers.forEach(tasks.count) { index in
                let chunk = round - tasks[index].stage(layers: layers)
                if (0..<chunks).contains(chunk) { run(tasks[index], chunk) }
            }
            // The chunk that the decoder has finished.
            let done = round - PipelineTask.decoder.stage(layers: layers)
            guard done >= 0 else { continue }
            let first = part.lowerBound + done * size
            body(first..<min(first + size, part.upperBound), scores[done % stages])
        }
    }
}

extension EncodedText {
    /// Calls `body` with the parts of the text that begin with a state reset. Neighbouring parts are joined until they
    /// are long enough.
    fileprivate func forEachPart(ofAtLeast length: Int, _ body: (Range<Int>) -> Void) {
        var first = 0
        forEachTarget { position, _, isFresh in
            guard isFresh && position - first >= length else { return }
            body(first..<position)
            first = position
        }
        if first < count { body(first..<count) }
    }
}

/// What a thread does with a chunk in one round of scoring.
private enum PipelineTask: Sendable {
    /// For the lowest layer this includes its projection, which is a gather or small.
    case recurrence(layer: Int)
    case projection(layer: Int, part: Int, of: Int)
    case decoder

    /// How many rounds after the first stage it runs.
    func stage(layers: Int) -> Int {
        switch self {
        case .recurrence(let layer): 2 * layer
        case .projection(let layer, _, _): 2 * layer - 1
        case .decoder: 2 * layers - 1
        }
    }
}
