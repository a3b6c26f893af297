import CharacterModel
import FoundationEssentials

/// What an inspection found: JSON with every figure, and tables to read.
public struct InspectionReport: Encodable {
    let checkpoint: String
    let text: String
    /// Memory, gates and units are missing where only the gradient flow of other weights was measured.
    let memory: [Memory]?
    /// Of n-grams of 1 to 8 symbols.
    let memoryBaseline: [Memory]?
    let memoryPositions: Int?
    let gradientFlow: [Flow]
    /// The positions of the predictions whose gradient was followed, counted in symbols from 0.
    let positions: [Int]
    let untrainedSeed: UInt64?
    let recurrentScale: Double
    let gates: [Gate]?
    let units: [Unit]?
    /// Whether the model was trained on the text.
    let isTrainingText: Bool

    struct Memory: Encodable {
        /// In symbols; null: unlimited.
        let context: Nullable<Int>
        /// Null where it is not finite.
        let nats: Nullable<Double>
        let standardError: Nullable<Double>
    }

    struct Flow: Encodable {
        let layer: Int
        let state: String
        let lag: Int
        /// Null where it is too large for a Double.
        let norm: Nullable<Double>
        let standardError: Nullable<Double>
    }

    struct Gate: Encodable {
        let layer: Int
        let gate: String
        let unit: Int
        let mean: Nullable<Double>
        let below: Double
        let above: Double
        let halfLife: Nullable<Double>
    }

    struct Unit: Encodable {
        let layer: Int
        let unit: Int
        let fact: String
        /// `auc` or `correlation`.
        let measure: String
        let score: Double
        /// Whether the output is low where the fact is true.
        let inverted: Bool

        /// How far the score is from chance, from 0 to 1.
        var strength: Double { measure == "auc" ? 2 * score - 1 : score }
    }

    /// A value, or null in JSON, where a key would be left out otherwise.
    struct Nullable<Value: Encodable>: Encodable {
        let value: Value?

        init(_ value: Value?) { self.value = value }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    public init(
        checkpoint: String, text: String, isTrainingText: Bool, memory: MemoryCurve?, baseline: MemoryCurve?,
        flow: GradientFlow, weights: GradientFlowWeights, gates: [GateStatistics]?, units: [TellingUnit]?
    ) {
        func finite(_ value: Double?) -> Nullable<Double> { Nullable(value.flatMap { $0.isFinite ? $0 : nil }) }
        (self.checkpoint, self.text) = (checkpoint, text)
        func points(_ curve: MemoryCurve) -> [Memory] {
            curve.points.map {
                Memory(
                    context: Nullable($0.context), nats: finite($0.nats.mean),
                    standardError: finite($0.nats.standardError))
            }
        }
        (self.memory, memoryBaseline, memoryPositions) = (
            memory.map(points), baseline.map(points), memory?.positions
        )
        self.isTrainingText = isTrainingText
        gradientFlow = flow.points.map {
            Flow(
                layer: $0.layer, state: $0.state, lag: $0.lag, norm: finite($0.norm.mean),
                standardError: finite($0.norm.standardError))
        }
        positions = flow.positions
        (untrainedSeed, recurrentScale) = (weights.untrainedSeed, weights.recurrentScale)
        self.gates = gates?.map {
            Gate(
                layer: $0.layer, gate: $0.gate, unit: $0.unit, mean: finite($0.mean), below: $0.below, above: $0.above,
                halfLife: finite($0.halfLife))
        }
        self.units = units?.map {
            Unit(
                layer: $0.layer, unit: $0.unit, fact: $0.fact.rawValue, measure: $0.measure.rawValue, score: $0.score,
                inverted: $0.isInverted)
        }
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
