import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// One unit of a network.
public struct UnitName: Sendable, Hashable {
    /// From 0, at the input.
    public var layer: Int
    public var unit: Int

    public init(layer: Int, unit: Int) { (self.layer, self.unit) = (layer, unit) }
}

/// What some units did after each symbol of a text.
public struct UnitTrace: Sendable {
    public var units: [UnitName]
    /// `state`, the unit's part of the layer's `h`, then the names of its gates.
    public var quantities: [String]
    /// By unit, quantity and symbol: NaN after a symbol that the network does not read, the last of a text or a record.
    public var values: [[[Float]]]
}

extension LanguageModel {
    /// Follows units through the beginning of a text.
    ///
    /// - Parameters:
    ///   - units: units of the model.
    ///   - corpus: as the model reads it.
    ///   - limit: the most symbols that are read.
    ///   - gates: whether the gates are wanted too.
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func trace(
        _ units: [UnitName], over corpus: Corpus, limit: Int = 200_000, gates: Bool = false
    ) throws(EvaluationError) -> UnitTrace {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let (cell, h, count) = (configuration.cell.cell, configuration.hidden, min(max(0, limit), text.count))
        let valves = gates ? cell.valves : []
        let blank = [Float](repeating: .nan, count: count)
        var trace = UnitTrace(
            units: units, quantities: ["state"] + valves.map { cell.gates[$0] },
            values: units.map { _ in [[Float]](repeating: blank, count: valves.count + 1) })
        let unread = text.unreadSymbols(upTo: count)
        TextPass(network: network, text: text).run(steps: count + 1) { chunk in
            // The step after a symbol reads it.
            for (row, step) in chunk.steps.enumerated() where step > 0 && !unread.contains(step - 1) {
                for (number, name) in units.enumerated() {
                    trace.values[number][0][step - 1] = chunk.states(layer: name.layer)[row, name.unit]
                    let values = chunk.gates(layer: name.layer)
                    for (index, gate) in valves.enumerated() {
                        trace.values[number][index + 1][step - 1] = values[row, gate * h + name.unit]
                    }
                }
            }
        }
        return trace
    }

    /// The mean over each layer's units of each gate after each symbol, by layer and gate; see ``trace(_:over:limit:gates:)``.
    public func gateMeans(over corpus: Corpus, limit: Int = 2_000) throws(EvaluationError) -> [[[Float]]] {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let (cell, h, count) = (configuration.cell.cell, configuration.hidden, min(max(0, limit), text.count))
        let blank = [[Float]](repeating: [Float](repeating: .nan, count: count), count: cell.valves.count)
        var means = [[[Float]]](repeating: blank, count: configuration.layers)
        let unread = text.unreadSymbols(upTo: count)
        TextPass(network: network, text: text).run(steps: count + 1) { chunk in
            for (row, step) in chunk.steps.enumerated() where step > 0 && !unread.contains(step - 1) {
                for layer in 0..<configuration.layers {
                    let values = chunk.gates(layer: layer)
                    for (index, gate) in cell.valves.enumerated() {
                        let sum = (0..<h).reduce(Float(0)) { $0 + values[row, gate * h + $1] }
                        means[layer][index][step - 1] = sum / Float(h)
                    }
                }
            }
        }
        return means
    }
}

extension EncodedText {
    /// The positions of symbols behind which the state is reset, so that no step reads them.
    func unreadSymbols(upTo count: Int) -> Set<Int> {
        var unread: Set<Int> = []
        forEachTarget(upTo: count + 1) { position, symbol, isFresh in
            if isFresh { unread.insert(position - 1) }
            if position == self.count - 1 && restarts(afterSymbol: symbol) { unread.insert(position) }
        }
        return unread
    }
}
