import RealModule
import RecurrentNetwork
import Tokenization

/// How one gate of one unit behaves over a text (saturation: Karpathy, Johnson & Fei-Fei 2015).
public struct GateStatistics: Sendable, Equatable {
    /// From 0, at the input.
    public var layer: Int
    /// Its name: `input`, `forget` and `output` of an LSTM, `reset` and `update` of a GRU, `update` of a minGRU.
    public var gate: String
    public var unit: Int
    public var mean: Double
    /// The shares of the text in which it is below 0.1 and above 0.9.
    public var below: Double
    public var above: Double
    /// Of the gate that keeps the state (an LSTM's `forget`, a GRU's and a minGRU's `update`): after how many symbols half of a
    /// unit's state is gone, `ln 0.5 / mean ln(share kept)`; nil for the other gates, and infinite where nothing is lost.
    public var halfLife: Double?
}

extension LanguageModel {
    /// The statistics of each gate over the beginning of a text, read from its start; empty for a cell without gates.
    ///
    /// - Parameters:
    ///   - corpus: as the model reads it.
    ///   - limit: the most symbols that are read.
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func gates(over corpus: Corpus, limit: Int = 100_000) throws(EvaluationError) -> [GateStatistics] {
        try vocabulary.check(corpus)
        let cell = configuration.cell.cell
        guard !cell.valves.isEmpty else { return [] }
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let (count, h, layers) = (min(max(1, limit), text.count), configuration.hidden, configuration.layers)
        let valves = cell.valves.map { cell.gates[$0] }
        var sums = [GateSums](repeating: GateSums(), count: layers * cell.valves.count * h)
        TextPass(network: network, text: text).run(steps: count) { chunk in
            for layer in 0..<layers {
                let values = chunk.gates(layer: layer)
                for (number, gate) in cell.valves.enumerated() {
                    let keeps = cell.keeping?.gate == gate ? cell.keeping : nil
                    let place = (layer * cell.valves.count + number) * h
                    for step in 0..<chunk.steps.count {
                        for unit in 0..<h { sums[place + unit].add(Double(values[step, gate * h + unit]), keeps) }
                    }
                }
            }
        }
        return sums.enumerated().map { index, sum in
            let (gate, unit) = (index / h % valves.count, index % h)
            return sum.statistics(
                layer: index / h / valves.count, gate: valves[gate], unit: unit, of: count,
                keeps: cell.keeping?.gate == cell.valves[gate])
        }
    }
}

/// Sums over a text of one gate's values.
private struct GateSums {
    private var sum = 0.0
    private var below = 0
    private var above = 0
    private var logarithms = 0.0

    mutating func add(_ value: Double, _ keeping: KeepingGate?) {
        sum += value
        below += value < 0.1 ? 1 : 0
        above += value > 0.9 ? 1 : 0
        // A share of 0 would make all others count for nothing.
        if let keeping { logarithms += .log(max(1e-30, keeping.isInverted ? 1 - value : value)) }
    }

    func statistics(layer: Int, gate: String, unit: Int, of count: Int, keeps: Bool) -> GateStatistics {
        let n = Double(count)
        return GateStatistics(
            layer: layer, gate: gate, unit: unit, mean: sum / n, below: Double(below) / n, above: Double(above) / n,
            halfLife: keeps ? (logarithms < 0 ? .log(0.5) / (logarithms / n) : .infinity) : nil)
    }
}
