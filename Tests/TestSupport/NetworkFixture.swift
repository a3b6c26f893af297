import CharacterModel
import LinearAlgebra

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

    /// Fills a shard with random inputs and targets (one of them ignored), a random state, and a reset in a lane.
    package func fill(_ shard: Shard<Scalar>, index: Int, resetAt step: Int) {
        var generator = SplitMix64(seed: seed, stream: 2, UInt64(index))
        let size = UInt64(model.vocabularySize)
        for at in 0..<steps * shard.lanes {
            shard.ids.view[0, at] = Int32(generator.next() % size)
            shard.targets.view[0, at] = Int32(generator.next() % size)
        }
        shard.targets.view[0, 0] = -1
        shard.resets = [Reset(step: step, lane: shard.lanes - 1)]
        var state = NetworkState<Scalar>(model, lanes: shard.lanes)
        for layer in 0..<model.layers {
            for at in state.hidden[layer].indices {
                state.hidden[layer][at] = Scalar(generator.uniform() - 0.5)
                if model.cell == .lstm { state.cell[layer][at] = Scalar(2 * generator.uniform() - 1) }
            }
        }
        shard.state = state
    }

    /// The symbols that count in a window.
    package var symbols: Int { steps * batch - TrainingStep<Scalar>.shardLanes(batch: batch).count }

    /// The mean loss of the window under the parameters as they are.
    ///
    /// - Parameter reset: where a lane of each shard begins a text; nil: in mid-window.
    package func loss(_ step: TrainingStep<Scalar>, resetAt reset: Int? = nil) -> Double {
        step.network.pack(using: Workers(count: 1))
        let outcome = step.accumulate(steps: steps, symbols: symbols, step: 7) { shard, index in
            fill(shard, index: index, resetAt: reset ?? steps / 2)
            return steps * shard.lanes - 1
        }
        return outcome.nats / Double(outcome.symbols)
    }

    package func makeStep(threads: Int = 1, restarts: Bool = true) -> TrainingStep<Scalar> {
        TrainingStep(
            model, parameters: parameters, optimizer: .sgd, batch: batch, window: steps,
            restarts: restarts, seed: 3,
            workers: Workers(count: threads))
    }
}

extension NetworkFixture: @unchecked Sendable {}
