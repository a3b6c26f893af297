import Concurrency
import RealModule
import RecurrentNetwork
import Synchronization
import Tokenization

/// How far back a prediction's gradient reaches: the norms of the gradient of -ln p(x_t) with respect to the states some symbols
/// before it, through every path (Bengio, Simard & Frasconi 1994).
///
/// Computed in Double. The gradient at lag k is that of a layer's state as it is after symbol x_(t-1-k) has been read; an LSTM's `c` is
/// the state of which that step's `h` is a function.
public struct GradientFlow: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
        /// From 0, at the input.
        public var layer: Int
        /// `h`, or `c`.
        public var state: String
        public var lag: Int
        /// The Euclidean norm, a mean over the positions.
        public var norm: MeanEstimate
    }

    public var points: [Point]
    /// The positions t of the predicted symbols, counted from 0: the same for each lag.
    public var positions: [Int]
    /// The longest lag.
    public var longestLag: Int
}

/// The weights whose gradient flow is measured.
public struct GradientFlowWeights: Sendable, Equatable {
    /// Whether the model's weights are replaced by fresh ones, drawn with a seed; nil: the trained ones.
    public var untrainedSeed: UInt64?
    /// What the recurrent weights are multiplied by.
    public var recurrentScale = 1.0

    public init(untrainedSeed: UInt64? = nil, recurrentScale: Double = 1) {
        (self.untrainedSeed, self.recurrentScale) = (untrainedSeed, recurrentScale)
    }
}

extension LanguageModel {
    /// Measures how gradients flow back through a text.
    ///
    /// - Parameters:
    ///   - corpus: as the model reads it; its first 16,384 symbols are looked at.
    ///   - longestLag: at most; a text, or records, too short for it get shorter lags.
    ///   - count: how many predictions, spread over that part, each with more than the longest lag of its text or record before it.
    ///   - weights: the trained ones, or others of the same shape.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func gradientFlow(
        over corpus: Corpus, longestLag: Int = 256, positions count: Int = 200,
        weights: GradientFlowWeights = GradientFlowWeights(), threads: Int? = nil
    ) throws(EvaluationError) -> GradientFlow {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let (chosen, lag) = Self.positions(count, in: text, longestLag: longestLag)
        return gradientFlow(over: text, at: chosen, lag: lag, weights: weights, threads: threads)
    }

    /// The same for given predictions.
    ///
    /// - Parameter positions: in ascending order, each with more than `lag` symbols before it.
    package func gradientFlow(
        over corpus: Corpus, at positions: [Int], lag: Int, threads: Int? = nil
    ) throws(EvaluationError) -> GradientFlow {
        try vocabulary.check(corpus)
        precondition(positions.allSatisfy { $0 > lag && $0 < corpus.count }, "no such positions")
        let text = EncodedText(corpus, vocabulary: vocabulary)
        return gradientFlow(over: text, at: positions, lag: lag, weights: GradientFlowWeights(), threads: threads)
    }

    private func gradientFlow(
        over text: EncodedText, at chosen: [Int], lag: Int, weights: GradientFlowWeights, threads: Int?
    ) -> GradientFlow {
        let workers = Workers(count: max(1, threads ?? Workers.cores))
        let network = Network<Double>(configuration, doubled(weights), learns: true, using: workers)
        let norms = GradientNorms(network, text, chosen, lag: lag)
        let states = configuration.cell.cell.stateNames
        let found = norms.values(using: workers)
        let points = (0..<configuration.layers).flatMap { layer in
            states.indices.flatMap { state in
                (0...lag).map { lag in
                    GradientFlow.Point(
                        layer: layer, state: states[state], lag: lag,
                        norm: MeanEstimate(found.map { $0[(layer * states.count + state) * (norms.lag + 1) + lag] }))
                }
            }
        }
        return GradientFlow(points: points, positions: chosen, longestLag: lag)
    }

    /// Whether the cell has weights from a state to the next.
    public var hasRecurrentWeights: Bool {
        parameters.layout.entries.contains {
            if case .layer(_, _, .recurrentWeight) = $0.role { true } else { false }
        }
    }

    /// Positions with more than the lag before them in their text or record; where there are too few, the lag is shorter.
    private static func positions(
        _ count: Int, in text: EncodedText, longestLag: Int
    ) -> (positions: [Int], lag: Int) {
        var ages: [Int] = []
        text.forEachTarget(upTo: 16_384) { _, _, isFresh in ages.append(isFresh ? 0 : (ages.last ?? -1) + 1) }
        // The longest that enough positions, of a short text half of them, have more than before them.
        let enough = ages.sorted(by: >)[min(max(1, count), (ages.count + 1) / 2) - 1]
        let lag = max(0, min(longestLag, enough - 1))
        let old = ages.indices.filter { ages[$0] > lag }
        return old.isEmpty ? ([ages.count - 1], 0) : (spread(count, of: old), lag)
    }

    /// Weights in Double: the trained ones, or fresh ones, with the recurrent ones scaled.
    private func doubled(_ weights: GradientFlowWeights) -> Parameters<Double> {
        let doubled = Parameters<Double>(configuration)
        let source = Parameters<Float>(configuration)
        if let seed = weights.untrainedSeed {
            source.initialize(configuration, seed: seed)
        } else {
            source.all.copy(parameters.all)
        }
        for entry in doubled.layout.entries {
            var scale = 1.0
            if case .layer(_, _, .recurrentWeight) = entry.role { scale = weights.recurrentScale }
            doubled.assign(source.elements(of: entry).map { Double($0) * scale }, to: entry)
        }
        return doubled
    }
}

/// The norms of the gradients at each lag, for each of some positions.
private struct GradientNorms {
    private let network: Network<Double>
    private let text: EncodedText
    private let positions: [Int]
    let lag: Int

    init(_ network: Network<Double>, _ text: EncodedText, _ positions: [Int], lag: Int) {
        (self.network, self.text, self.positions, self.lag) = (network, text, positions, lag)
    }

    /// For each position, the norms by layer, state and lag.
    func values(using workers: Workers) -> [[Double]] {
        let states = statesBeforeWindows()
        let groups = stride(from: 0, to: positions.count, by: 8).map { $0..<min($0 + 8, positions.count) }
        let found = Mutex([[Double]](repeating: [], count: positions.count))
        workers.forEach(groups.count) { index in
            let norms = self.norms(groups[index], states)
            found.withLock { $0.replaceSubrange(groups[index], with: norms) }
        }
        return found.withLock { $0 }
    }

    /// The states before each position's window, as the network has them: it reads the text from its start.
    private func statesBeforeWindows() -> [NetworkState<Double>] {
        let starts = positions.map { $0 - lag }
        let shard = Shard<Double>(network.model, lanes: 1, steps: 64, learns: false)
        var states: [NetworkState<Double>] = []
        var position = 0
        for start in starts {
            while position < start {
                let steps = min(64, start - position)
                var lane = Lane(origin: position, scored: position..<position + steps, startsFresh: false)
                lane.firstInput = -position
                _ = shard.input.fill([lane], of: text, first: 0, steps: steps)
                shard.forward(network, steps: steps)
                shard.advance(steps: steps)
                position += steps
            }
            states.append(shard.state)
        }
        return states
    }

    private func norms(_ group: Range<Int>, _ states: [NetworkState<Double>]) -> [[Double]] {
        let (model, steps, lanes) = (network.model, lag + 1, group.count)
        let shard = Shard<Double>(model, lanes: lanes, steps: steps, learns: true)
        var state = NetworkState<Double>(model, lanes: lanes)
        for (index, layers) in state.values.enumerated() {
            for layer in layers.indices {
                state.values[index][layer] = group.flatMap { states[$0].values[index][layer] }
            }
        }
        shard.state = state
        let reads = group.map { position in
            let t = positions[position]
            var lane = Lane(origin: t - lag, scored: t..<t + 1, startsFresh: false)
            lane.firstInput = lag - t
            return lane
        }
        _ = shard.input.fill(reads, of: text, first: 0, steps: steps)
        shard.forward(network, steps: steps)
        _ = shard.loss(steps: steps, scale: 1)
        let kinds = model.cell.cell.states.count
        // A state that overflows has no gradient, though one may come out as 0.
        let areFinite = (0..<lanes).map { lane in
            (0..<model.layers).allSatisfy { layer in
                (0..<kinds).allSatisfy { kind in
                    let states = shard.states(layer: layer, state: kind, steps: steps)
                    return (0..<steps).allSatisfy { step in
                        (0..<model.hidden).allSatisfy { states[step * lanes + lane, $0].isFinite }
                    }
                }
            }
        }
        var norms = [[Double]](repeating: [Double](repeating: 0, count: model.layers * kinds * steps), count: lanes)
        shard.backward(network, steps: steps, resets: shard.input.resets(steps), dropped: false) {
            layer, step, kind, gradient in
            for lane in 0..<lanes {
                var squares = 0.0
                for unit in 0..<model.hidden { squares += gradient[lane, unit] * gradient[lane, unit] }
                norms[lane][(layer * kinds + kind) * steps + lag - step] = squares.squareRoot()
            }
        }
        return zip(norms, areFinite).map { $1 ? $0 : $0.map { _ in .nan } }
    }
}
