import LinearAlgebra
import RealModule

/// What a model thought would come where a symbol came.
public struct Prediction: Sendable, BitwiseCopyable {
    /// A symbol that could have come.
    public struct Candidate: Sendable, Equatable, BitwiseCopyable {
        /// Its id; that of the boundary or of `unknown` lies above those of ordinary symbols.
        public var id: Int32
        public var probability: Float
    }

    /// How many candidates are kept.
    public static let candidates = 5

    /// The rank of the symbol that came: 1 for the likeliest.
    public var rank = 0
    /// Of the distribution, in nats.
    public var entropy = 0.0
    /// The likeliest symbols, likeliest first; fewer than five in a small vocabulary, the rest have a negative id.
    public var likeliest = InlineArray<5, Candidate>(repeating: Candidate(id: -1, probability: 0))

    public init() {}

    /// - Parameters:
    ///   - row: [1, V]: the probabilities, less 1 for the target (the gradient of the loss).
    ///   - target: the id that came.
    ///   - nats: what it cost, which says more of a small probability than the row does.
    init<Scalar: KernelScalar>(_ row: MatrixView<Scalar>, target: Int32, nats: Double) {
        let came = Double.exp(-nats)
        for id in 0..<row.columns {
            let probability = id == Int(target) ? came : Double(row[0, id])
            if probability > 1e-12 { entropy -= probability * .log(probability) }
            // Where two are equal but for rounding, either may come first.
            if id == Int(target) || probability > came || (probability == came && id < Int(target)) { rank += 1 }
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
