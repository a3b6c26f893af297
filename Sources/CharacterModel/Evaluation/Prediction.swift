import LinearAlgebra
import RealModule

/// What a model predicted at the position of a symbol.
public struct Prediction: Sendable, BitwiseCopyable {
    /// A candidate symbol.
    public struct Candidate: Sendable, Equatable, BitwiseCopyable {
        /// Its id; that of the boundary or of `unknown` lies above those of ordinary symbols.
        public var id: Int32
        public var probability: Float
    }

    /// How many candidates are stored.
    public static let candidates = 5

    /// The rank of the actual symbol: 1 for the likeliest.
    public var rank = 0
    /// Of the distribution, in nats.
    public var entropy = 0.0
    /// The likeliest symbols, likeliest first. If a small vocabulary has fewer than five, the rest have a negative id.
    public var likeliest = InlineArray<5, Candidate>(repeating: Candidate(id: -1, probability: 0))

    public init() {}

    /// - Parameters:
    ///   - row: [1, V]: the probabilities, minus 1 for the target (the gradient of the loss).
    ///   - target: the id of the actual symbol.
    ///   - nats: its -ln p, which is more precise for small probabilities than the row.
    init<Scalar: KernelScalar>(_ row: MatrixView<Scalar>, target: Int32, nats: Double) {
        self.init(count: row.columns, target: Int(target), probability: Double.exp(-nats)) { Double(row[0, $0]) }
    }

    /// -ln p of the actual symbol, and what was predicted.
    ///
    /// - Parameters:
    ///   - logits: V of them.
    ///   - target: the id of the actual symbol.
    static func ofLogits(_ logits: [Float], target: Int) -> (nats: Double, prediction: Prediction) {
        let highest = Double(logits.max() ?? 0)
        let shift = highest + .log(logits.reduce(0.0) { $0 + .exp(Double($1) - highest) })
        let nats = shift - Double(logits[target])
        let prediction = Prediction(count: logits.count, target: target, probability: .exp(-nats)) {
            .exp(Double(logits[$0]) - shift)
        }
        return (nats, prediction)
    }

    /// - Parameter others: the probability of each symbol but the target.
    @inline(__always)
    private init(count: Int, target: Int, probability came: Double, others: (Int) -> Double) {
        for id in 0..<count {
            let probability = id == target ? came : others(id)
            if probability > 1e-12 { entropy -= probability * .log(probability) }
            // If two probabilities differ only by rounding, either may be first.
            if id == target || probability > came || (probability == came && id < target) { rank += 1 }
            guard Float(probability) > likeliest[Self.candidates - 1].probability else { continue }
            var place = Self.candidates - 1
            while place > 0 && likeliest[place - 1].probability < Float(probability) {
                likeliest[place] = likeliest[place - 1]
                place -= 1
            }
            likeliest[place] = Candidate(id: Int32(id), probability: Float(probability))
        }
    }
}
