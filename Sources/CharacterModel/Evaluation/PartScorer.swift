import Cluster
import Concurrency
import LinearAlgebra
import RecurrentNetwork

/// Scores parts of a text that each begin with a state reset.
struct PartScorer<Scalar: KernelScalar>: Sendable {
    let network: Network<Scalar>
    let text: EncodedText
    /// Counts to mix with the network.
    let mixture: CountMixture?
    let workers: Workers
    let predicts: Bool
    let isCancelled: @Sendable () -> Bool

    private func makeScores(_ count: Int) -> SymbolScores {
        SymbolScores(count, predicts: predicts, mixes: mixture != nil)
    }

    /// Scores the whole text, and tells the scores in order. False if it was cancelled, or another rank failed.
    func scoreAll(on cluster: Cluster?, _ tell: (Range<Int>, SymbolScores) -> Void) -> Bool {
        var parts: [Range<Int>] = []
        var held: Int { parts.last.map { $0.upperBound - parts[0].lowerBound } ?? 0 }
        var isComplete = true
        func score() {
            defer { parts = [] }
            guard isComplete && !isCancelled() else { return }
            isComplete = self.score(parts, on: cluster, tell)
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
        _ parts: [Range<Int>], on cluster: Cluster?, _ tell: (Range<Int>, SymbolScores) -> Void
    ) -> Bool {
        if let cluster, parts.count > 1 {
            return ScoreSharing(cluster, parts, predicts: predicts, mixes: mixture != nil).run(tell) {
                score($0, into: $1)
            }
        }
        // A single part cannot be shared: it is rank 0's.
        guard cluster?.isLeader ?? true, let first = parts.first?.lowerBound, let end = parts.last?.upperBound else {
            return true
        }
        if parts.count >= 2 * workers.count {
            let scores = makeScores(end - first)
            score(parts, into: scores)
            if !isCancelled() { tell(first..<end, scores) }
        } else {
            for part in parts where !isCancelled() {
                score(part, tell)
            }
        }
        return true
    }

    /// Scores consecutive parts into memory that begins with the first of them.
    private func score(
        _ parts: [Range<Int>], into scores: SymbolScores
    ) {
        let first = parts[0].lowerBound
        if parts.count >= 2 * workers.count {
            workers.forEach(parts.count) { index in
                let part = parts[index]
                score(part, into: scores, from: part.lowerBound - first)
            }
            return
        }
        for part in parts {
            score(part) { range, chunk in
                scores.copy(chunk, count: range.count, to: range.lowerBound - first)
            }
        }
    }

    /// Scores a part of a text in chunks of steps, one after the other.
    private func score(
        _ part: Range<Int>, into scores: SymbolScores, from place: Int
    ) {
        let lane = [Lane(origin: part.lowerBound, scored: part, startsFresh: false)]
        let shard = Shard<Scalar>(network.model, lanes: 1, steps: min(256, part.count), learns: false)
        let mixer = mixture.map { CountMixer($0, lanes: 1) }
        for first in stride(from: 0, to: part.count, by: shard.capacity) where !isCancelled() {
            let steps = min(shard.capacity, part.count - first)
            _ = shard.input.fill(lane, of: text, first: first, steps: steps)
            shard.forward(network, steps: steps)
            mixer?.mix(into: shard, steps: steps)
            _ = shard.loss(steps: steps, scale: 1)
            scores.set(from: place + first, steps: steps, of: shard, mixer)
            shard.advance(steps: steps)
        }
    }

    /// Scores a part of a text in chunks of steps, as a pipeline: while a layer reads one chunk, the projection into
    /// the layer above, that layer and the decoder work on earlier chunks. Each chunk in flight has its own shard.
    private func score(
        _ part: Range<Int>, _ body: (Range<Int>, SymbolScores) -> Void
    ) {
        let lane = [Lane(origin: part.lowerBound, scored: part, startsFresh: false)]
        let (layers, size) = (network.model.layers, min(256, part.count))
        let chunks = (part.count + size - 1) / size
        // Stages: layer 0, then a projection and a recurrence for each layer above, then the decoder.
        let stages = 2 * layers
        let shards = (0..<stages).map { _ in Shard<Scalar>(network.model, lanes: 1, steps: size, learns: false) }
        let scores = (0..<stages).map { _ in makeScores(size) }
        // Chunks reach the decoder in order.
        let mixer = mixture.map { CountMixer($0, lanes: 1) }
        @Sendable func run(_ task: PipelineTask, _ chunk: Int) {
            let (first, shard) = (chunk * size, shards[chunk % stages])
            let steps = min(size, part.count - first)
            switch task {
            case .recurrence(let layer):
                if layer == 0 {
                    _ = shard.input.fill(lane, of: text, first: first, steps: steps)
                    shard.project(network, layer: 0, steps: 0..<steps)
                }
                shard.recur(network, layer: layer, steps: steps)
                shard.hand(layer: layer, after: steps, to: shards[(chunk + 1) % stages])
            case .projection(let layer, let part, let parts):
                let range = part * steps / parts..<(part + 1) * steps / parts
                if !range.isEmpty { shard.project(network, layer: layer, steps: range) }
            case .decoder:
                shard.decode(network, steps: steps)
                mixer?.mix(into: shard, steps: steps)
                _ = shard.loss(steps: steps, scale: 1)
                scores[chunk % stages].set(from: 0, steps: steps, of: shard, mixer)
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
