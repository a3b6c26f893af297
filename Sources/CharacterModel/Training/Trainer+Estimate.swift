import Foundation
import LinearAlgebra

extension Trainer {
    /// What a training takes in memory, in bytes: parameters, gradient, moments, packed copies, and the buffers of a window;
    /// then the best model beside it, which is read to be scored at the end.
    ///
    /// A Double, since what is asked for may exceed any integer's worth of memory.
    public static func memory(
        _ model: ModelConfiguration, options: TrainingOptions, textSymbols: Int
    ) -> Double {
        let parameters = Double(ParameterLayout(model).count)
        let copies = Double(8 + options.optimizer.moments.count)
        let (g, h) = (Double(model.cell.gates), Double(model.hidden))
        // Gates, the state before each step, the output and its gradient, what is kept; the GRU's second gradient.
        let perLayer: Double =
            switch model.cell {
            case .lstm: g + 5
            case .gru: 2 * g + 4
            case .rnn: g + 3
            }
        let masks = model.dropout > 0 ? 1.0 : 0
        let perSymbol =
            Double(model.layers) * (perLayer + masks) * h + Double(model.vocabularySize) + 2 * Double(model.embedding)
        let window = Double(options.batch) * Double(options.window) * perSymbol
        return 4 * (parameters * copies + window + Double(textSymbols))
    }

    /// The seconds a step takes, measured on a window whose result is thrown away.
    public func secondsPerStep() -> Double {
        let states = machine.shards.map(\.state)
        defer { for (shard, state) in zip(machine.shards, states) { shard.state = state } }
        return (0..<2).map { _ in
            let began = Date()
            rehearse()
            return Date().timeIntervalSince(began)
        }.last!
    }
}
