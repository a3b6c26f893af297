import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork

/// A small network with a window of inputs and targets, all from a seed.
package struct NetworkFixture<Scalar: KernelScalar> {
    package let model: ModelConfiguration
    package let parameters: Parameters<Scalar>
    package let network: Network<Scalar>
    package let steps: Int
    package let batch: Int
    package let seed: UInt64

    package init(_ model: ModelConfiguration, steps: Int, batch: Int, seed: UInt64, scale: Double = 0.5) {
        self.model = model
        self.steps = steps
        self.batch = batch
        self.seed = seed
        parameters = Parameters(model)
        var generator = SplitMix64(seed: seed, stream: 1)
        for entry in parameters.layout.entries {
            let view = parameters[entry]
            view.assign(
                (0..<view.rows * view.columns).map { _ in Scalar((2 * generator.uniform() - 1) * scale) })
        }
        network = Network(model, parameters, learns: true, using: Workers(count: 1))
    }

    /// Fills a group of lanes with random inputs and targets (one of them ignored), and a reset in a lane; returns a random state.
    private func fill(
        _ input: LaneWindow, _ lanes: Range<Int>, group: Int, resetAt step: Int
    ) -> NetworkState<Scalar> {
        var generator = SplitMix64(seed: seed, stream: 2, UInt64(group))
        let size = UInt64(model.vocabularySize)
        for (step, lane) in (0..<steps).flatMap({ step in lanes.map { (step, $0) } }) {
            input.ids.view[0, step * batch + lane] = Int32(generator.next() % size)
            input.targets.view[0, step * batch + lane] = Int32(generator.next() % size)
            input.resets.view[0, step * batch + lane] = 0
        }
        input.targets.view[0, lanes.lowerBound] = -1
        input.resets.view[0, step * batch + lanes.upperBound - 1] = 1
        var state = NetworkState<Scalar>(model, lanes: lanes.count)
        for layer in 0..<model.layers {
            for at in state.values[0][layer].indices {
                state.values[0][layer][at] = Scalar(generator.uniform() - 0.5)
                for other in state.values.indices.dropFirst() {
                    state.values[other][layer][at] = Scalar(2 * generator.uniform() - 1)
                }
            }
        }
        return state
    }

    /// The symbols that count in a window.
    package var symbols: Int { steps * batch - LaneGroups(batch: batch).ranges.count }

    /// The mean loss of the window under the parameters as they are.
    ///
    /// - Parameter reset: where a lane of each shard begins a text; nil: in mid-window.
    package func loss(_ engine: ThreadedEngine<Scalar>, resetAt reset: Int? = nil) -> Double {
        engine.network.pack(using: Workers(count: 1))
        let input = LaneWindow(lanes: batch, steps: steps, ngrams: model.ngramEmbedding)
        for lane in 0..<batch { input.setBefore([lane % model.vocabularySize, 1], lane: lane) }
        engine.laneState = NetworkState(
            joining: LaneGroups(batch: batch).ranges.enumerated().map { group, lanes in
                fill(input, lanes, group: group, resetAt: reset ?? steps / 2)
            })
        let outcome = engine.gradient(of: TrainingWindow(input, steps: steps, symbols: symbols, step: 7))
        return outcome.losses.reduce(0, +) / Double(symbols)
    }

    package func makeEngine(
        threads: Int = 1, restarts: Bool = true, precision: Precision = .float32
    ) -> ThreadedEngine<Scalar> {
        ThreadedEngine(
            EngineSetup(
                model: model, parameters: parameters, optimizer: .sgd, precision: precision, batch: batch,
                window: steps, restarts: restarts, seed: 3, workers: Workers(count: threads)))
    }
}
