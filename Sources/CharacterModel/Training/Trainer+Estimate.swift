import Foundation
import LinearAlgebra

extension Trainer {
    /// What a training takes in memory, in bytes: parameters, gradient, moments, packed copies, and the buffers of a window;
    /// then the best model beside it, which is read to be scored at the end.
    ///
    /// A Double, since what is asked for may exceed any integer's worth of memory.
    /// - Parameter restarts: whether the text has several beginnings.
    public static func memory(
        _ model: ModelConfiguration, options: TrainingOptions, restarts: Bool = true
    ) -> Double {
        let parameters = Double(ParameterLayout(model).count)
        // With the last good state, the one that is being saved, and the weights that are dropped.
        let copies = Double(10 + 3 * options.optimizer.moments.count + (model.weightDropout > 0 ? 2 : 0))
        let (g, h) = (Double(model.cell.gates), Double(model.hidden))
        // Gates, the states, what is kept, the gradient of the output, the states once more; the GRU's second gradient.
        let perLayer: Double =
            switch model.cell {
            case .lstm: g + 5
            case .gru: 2 * g + 4
            case .rnn: g + 3
            }
        // The output, twice, where it is not the state; the masks.
        let masks: Double = model.dropout > 0 ? 3 : restarts ? 2 : 0
        let perSymbol =
            Double(model.layers) * (perLayer + masks) * h + Double(model.vocabularySize) + 3 * Double(model.embedding)
            + 128
        let window = Double(options.batch) * Double(options.window) * perSymbol
        return 4 * (parameters * copies + window)
    }

    /// The seconds a step takes, measured on a window whose result is thrown away.
    public func secondsPerStep() -> Double {
        let states = machine.shards.map(\.state)
        defer { for (shard, state) in zip(machine.shards, states) { shard.state = state } }
        return (0..<2).map { _ in
            let began = now()
            rehearse()
            // Without the weights that the step dropped.
            machine.network.pack(using: workers)
            return now() - began
        }.last!
    }
}
