import CharacterModel
import Foundation

/// What an inspection found: JSON with every figure, and tables to read.
public struct InspectionReport: Encodable {
    private let checkpoint: String
    private let text: String
    private let memory: [Memory]
    private let gradientFlow: [Flow]
    /// The positions of the predictions whose gradient was followed, counted in symbols from 0.
    private let positions: [Int]
    private let untrainedSeed: UInt64?
    private let recurrentScale: Double
    private let gates: [Gate]

    private struct Memory: Encodable {
        /// In symbols; null: unlimited.
        let context: Nullable<Int>
        let nats: Double
        let standardError: Nullable<Double>
    }

    private struct Flow: Encodable {
        let layer: Int
        let state: String
        let lag: Int
        /// Null where it is too large for a Double.
        let norm: Nullable<Double>
        let standardError: Nullable<Double>
    }

    private struct Gate: Encodable {
        let layer: Int
        let gate: String
        let unit: Int
        let mean: Double
        let below: Double
        let above: Double
        let halfLife: Nullable<Double>
    }

    /// A value, or null in JSON, where a key would be left out otherwise.
    private struct Nullable<Value: Encodable>: Encodable {
        let value: Value?

        init(_ value: Value?) { self.value = value }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    public init(
        checkpoint: String, text: String, memory: MemoryCurve, flow: GradientFlow, weights: GradientFlowWeights,
        gates: [GateStatistics]
    ) {
        func finite(_ value: Double?) -> Nullable<Double> { Nullable(value.flatMap { $0.isFinite ? $0 : nil }) }
        (self.checkpoint, self.text) = (checkpoint, text)
        self.memory = memory.points.map {
            Memory(
                context: Nullable($0.context), nats: $0.nats.mean, standardError: finite($0.nats.standardError))
        }
        gradientFlow = flow.points.map {
            Flow(
                layer: $0.layer, state: $0.state, lag: $0.lag, norm: finite($0.norm.mean),
                standardError: finite($0.norm.standardError))
        }
        positions = flow.positions
        (untrainedSeed, recurrentScale) = (weights.untrainedSeed, weights.recurrentScale)
        self.gates = gates.map {
            Gate(
                layer: $0.layer, gate: $0.gate, unit: $0.unit, mean: $0.mean, below: $0.below, above: $0.above,
                halfLife: finite($0.halfLife))
        }
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    public func table() -> String { (memoryTable + flowTable + gateTable).joined(separator: "\n") + "\n" }

    private func cells(_ texts: [String]) -> String {
        texts.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }

    private var memoryTable: [String] {
        ["memory: mean nats per symbol, seeing only the last symbols", cells(["symbols", "nats", "error"])]
            + memory.map { point in
                cells([
                    point.context.value.map { formatted($0) } ?? "all", formatted(point.nats, decimals: 4),
                    point.standardError.value.map { formatted($0, decimals: 4) } ?? "-",
                ])
            }
    }

    /// Lags 0, 1, 2, 4 and so on, a column for each layer and state.
    private var flowTable: [String] {
        let longest = gradientFlow.map(\.lag).max() ?? 0
        let lags = [0] + sequence(first: 1) { $0 * 2 <= longest ? $0 * 2 : nil }.filter { $0 <= longest }
        let columns = gradientFlow.filter { $0.lag == 0 }
        let kind = untrainedSeed.map { "untrained, seed \($0)" } ?? "trained"
        let scale = recurrentScale == 1 ? "" : ", recurrent weights times \(recurrentScale)"
        return [
            "", "gradient flow: mean norm of the gradient of -ln p by the state some symbols back (\(kind)\(scale))",
            cells(["lag"] + columns.map { "layer \($0.layer) \($0.state)" }),
        ]
            + lags.map { lag in
                cells(
                    [formatted(lag)]
                        + columns.map { column in
                            let point = gradientFlow.first {
                                ($0.layer, $0.state, $0.lag) == (column.layer, column.state, lag)
                            }
                            return point?.norm.value.map { String(format: "%.3e", $0) } ?? "overflow"
                        })
            }
    }

    /// A row for each layer and gate: means over its units, and the median half-life.
    private var gateTable: [String] {
        guard !gates.isEmpty else { return [] }
        let groups = Dictionary(grouping: gates) { "\($0.layer) \($0.gate)" }
        let order = gates.filter { $0.unit == 0 }.map { "\($0.layer) \($0.gate)" }
        return ["", "gates: means over the units of a layer; half-life in symbols, the median"]
            + [cells(["layer", "gate", "mean", "below 0.1", "above 0.9", "half-life"])]
            + order.map { name in
                let units = groups[name]!
                func mean(_ value: (Gate) -> Double) -> String {
                    formatted(units.map(value).reduce(0, +) / Double(units.count), decimals: 3)
                }
                let lives = units.compactMap(\.halfLife.value).sorted()
                return cells([
                    "\(units[0].layer)", units[0].gate, mean(\.mean), mean(\.below), mean(\.above),
                    lives.isEmpty ? "-" : formatted(lives[lives.count / 2], decimals: 1),
                ])
            }
    }
}
