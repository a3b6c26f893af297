import Concurrency
import LinearAlgebra
import RealModule
import RecurrentNetwork
import Tokenization

/// How fast dynamic evaluation follows a text.
public struct DynamicRates: Sendable, Equatable {
    /// The size of a step, where a typical gradient has size 1.
    public var learningRate = 0.0002
    /// The fraction by which each step moves the weights back towards the trained ones, where gradients are typical.
    public var decay = 0.002

    public init(learningRate: Double = 0.0002, decay: Double = 0.002) {
        self.learningRate = learningRate
        self.decay = decay
    }
}

/// Dynamic evaluation: a text is scored segment by segment, and after each segment a gradient step makes that segment
/// more likely (Krause, Kahembwe, Murray & Renals 2018). Each segment is scored before the model adapts to it.
///
/// Steps are scaled by the root of the mean square of each weight's gradients, as in the paper's RMS rule, but computed
/// over the segments so far, because the training text may not be available. The weights decay towards the trained
/// ones, faster where gradients are large. Counts that are mixed with the network grow with the text. The model itself is
/// not changed.
package final class DynamicEvaluation {
    /// T: symbols in a segment.
    static let segment = 20
    /// The number of initial segments that only update the mean squares, so that these are meaningful before the first
    /// step.
    private static let patience = 20

    private let text: EncodedText
    private let trained: Parameters<Float>
    private let engine: ThreadedEngine<Float>
    private let input: LaneWindow
    private let workers: Workers
    /// The mean square of each weight's gradient, and the mean of their roots.
    private let meanSquares: Parameters<Float>
    private let pieces: [Range<Int>]
    private let rootSums: Matrix<Double>
    /// Mixes growing counts with the network, if the model has counts.
    private var mixer: GrowingMixer?

    package init(
        _ text: EncodedText, _ model: ModelConfiguration, _ parameters: Parameters<Float>,
        mixing mixture: CountMixture? = nil, workers: Workers
    ) {
        var model = model
        (model.dropout, model.weightDropout, model.ngramDropout) = (0, 0, 0)
        self.text = text
        self.workers = workers
        input = LaneWindow(lanes: 1, steps: Self.segment, ngrams: model.ngramEmbedding)
        trained = parameters
        engine = ThreadedEngine(
            EngineSetup(
                model: model, parameters: parameters.copy(model), optimizer: .sgd, batch: 1, window: Self.segment,
                restarts: text.restarts, seed: 1, workers: workers))
        meanSquares = Parameters(model)
        let count = parameters.layout.count
        pieces = stride(from: 0, to: count, by: 1 << 15).map { $0..<min($0 + 1 << 15, count) }
        rootSums = Matrix(rows: 1, columns: pieces.count)
        mixer = mixture.map { GrowingMixer($0, model, steps: Self.segment) }
    }

    /// Scores the text, or its first symbols.
    ///
    /// - Returns: nats, including the spelling of unknown symbols; nil if cancelled.
    package func nats(
        rates: DynamicRates, symbols limit: Int = .max, isCancelled: @Sendable () -> Bool = { false }
    ) -> Double? {
        let count = min(text.count, limit)
        let lane = [Lane(origin: 0, scored: 0..<count, startsFresh: false)]
        var (nats, measured) = (0.0, 0)
        for (segment, first) in stride(from: 0, to: count, by: Self.segment).enumerated() {
            if isCancelled() { return nil }
            let steps = min(Self.segment, count - first)
            _ = input.fill(lane, of: text, first: first, steps: steps)
            let mixed = mixer?.nats(of: input, steps: steps, engine.network)
            let outcome = engine.gradient(of: TrainingWindow(input, steps: steps, symbols: steps, step: segment))
            nats += mixed ?? outcome.losses[0]
            // Skip a segment whose gradient is not finite, and keep it out of the means.
            guard outcome.norm.isFinite else { continue }
            measured += 1
            measure(segments: measured)
            guard measured > Self.patience else { continue }
            adapt(rates)
            engine.network.pack(using: workers)
        }
        return nats + text.spellingNats * Double(count) / Double(max(1, text.count))
    }

    /// Updates the mean squares with the gradient of one more segment.
    private func measure(segments: Int) {
        let part = 1 / Float(segments)
        workers.forEach(pieces.count) { [pieces, rootSums, moved = engine.gradient, meanSquares] index in
            let (gradient, squares) = (moved.all.base, meanSquares.all.base)
            var sum: Float = 0
            for at in pieces[index] {
                let square = squares[at] + part * (gradient[at] * gradient[at] - squares[at])
                squares[at] = square
                sum += square.squareRoot()
            }
            rootSums.view[0, index] = Double(sum)
        }
    }

    private func adapt(_ rates: DynamicRates) {
        let mean = Float(rootSums.elements.reduce(0, +) / Double(meanSquares.layout.count))
        guard mean > 0 && mean.isFinite else { return }
        let (rate, decay) = (Float(rates.learningRate), Float(rates.decay) / mean)
        workers.forEach(pieces.count) {
            [pieces, trained, moved = engine.gradient, meanSquares, parameters = engine.network.parameters] index in
            let (gradient, squares) = (moved.all.base, meanSquares.all.base)
            let (weights, trained) = (parameters.all.base, trained.all.base)
            for at in pieces[index] {
                let root = squares[at].squareRoot()
                // A weight that never had a gradient does not move.
                let towards = rate * gradient[at] / (root + 1e-3 * mean)
                weights[at] += min(1, decay * root) * (trained[at] - weights[at]) - towards
            }
        }
    }
}

extension LanguageModel {
    /// Scores a text by dynamic evaluation.
    ///
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts, and `.cancelled`.
    public func evaluateDynamically(
        _ corpus: Corpus, state: StatePolicy = .file, rates: DynamicRates = DynamicRates(), threads: Int? = nil,
        isCancelled: @Sendable () -> Bool = { false }
    ) throws(EvaluationError) -> Likelihood {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        let evaluation = DynamicEvaluation(
            text, configuration, network.parameters, mixing: mixture,
            workers: Workers(count: max(1, threads ?? Workers.cores)))
        guard let nats = evaluation.nats(rates: rates, isCancelled: isCancelled) else { throw .cancelled }
        return Likelihood(nats: nats, tokens: text.count)
    }

    /// The rates under which a text scores best, found on a grid: first the learning rate, then the decay.
    ///
    /// - Parameters:
    ///   - corpus: a different text from the one to be scored.
    ///   - state: where the model's state is reset.
    ///   - threads: does not affect the result; nil: one per core.
    ///   - isCancelled: polled regularly; returning true stops the work.
    ///   - observe: called with each pair of rates and its mean nats per symbol.
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts, and `.cancelled`.
    public func tuneDynamicRates(
        _ corpus: Corpus, state: StatePolicy = .file, threads: Int? = nil,
        isCancelled: @Sendable () -> Bool = { false }, observe: (DynamicRates, Double) -> Void = { _, _ in }
    ) throws(EvaluationError) -> DynamicRates {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        let symbols = min(text.count, 200_000)
        var best = (rates: DynamicRates(), nats: Double.infinity)
        func tryOut(_ candidates: [DynamicRates]) -> Bool {
            for rates in candidates {
                let evaluation = DynamicEvaluation(
                    text, configuration, network.parameters, mixing: mixture,
                    workers: Workers(count: max(1, threads ?? Workers.cores)))
                guard let nats = evaluation.nats(rates: rates, symbols: symbols, isCancelled: isCancelled) else {
                    return false
                }
                observe(rates, nats / Double(symbols))
                if nats < best.nats { best = (rates, nats) }
            }
            return true
        }
        let start = DynamicRates()
        let steps = [0.25, 0.5, 1, 2, 4, 8].map {
            DynamicRates(learningRate: start.learningRate * $0, decay: start.decay)
        }
        guard tryOut(steps) else { throw .cancelled }
        let rate = best.rates.learningRate
        let decays = [0, 0.2, 5, 25].map { DynamicRates(learningRate: rate, decay: start.decay * $0) }
        guard tryOut(decays) else { throw .cancelled }
        return best.rates
    }
}
