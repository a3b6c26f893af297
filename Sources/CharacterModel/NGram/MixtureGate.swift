import Glibc
import RealModule

/// Decides, symbol by symbol, how much a network and n-grams are believed: p is in proportion to p_network^a p_counts^b, and a
/// and b are affine functions of what is known before the symbol comes.
///
/// (A mixture in the logistic domain, as in PAQ (Mahoney 2005), over all symbols at once: a product of experts (Hinton 2002)
/// whose exponents depend on the context.) The likelihood is log-concave in the weights.
package struct MixtureGate: Sendable, Equatable {
    /// The number of features.
    static let features = 15
    /// [2, features]: for the exponent of the network, and of the counts.
    package var weights: [Double]

    /// What is known before a symbol comes.
    typealias Features = InlineArray<15, Double>

    /// The mean of the gates of four trainings on other texts (`docs/counts.md`); the middle of the prior, and the gate where there is nothing to learn from.
    package static let usual = MixtureGate(weights: [
        0.465, -0.191, -0.051, 0.053, -0.093, 0.015, 0.048, 0.034, 0.109, 0.092, -0.093, -0.061, 0.035, 0.064, -0.092,
        0.726, 0.209, 0.062, 0.032, 0.054, -0.036, -0.256, 0.04, -0.072, -0.056, -0.004, 0.07, -0.064, -0.079, 0.171,
    ])

    package init(weights: [Double]) {
        precondition(weights.count == 2 * Self.features, "\(weights.count) weights")
        self.weights = weights
    }

    /// The exponents of the network and of the counts.
    func exponents(_ features: borrowing Features) -> (network: Double, counts: Double) {
        var (network, counts) = (0.0, 0.0)
        for index in 0..<Self.features {
            network += weights[index] * features[index]
            counts += weights[Self.features + index] * features[index]
        }
        return (network, counts)
    }
}

/// Two distributions at one place: logarithms of probabilities, and the features of the gate.
struct ExpertPair {
    /// [V]: ln p of the network and of the counts. For a symbol that cannot come both are `impossible`.
    var network: [Float]
    var counts: [Float]
    var features = MixtureGate.Features(repeating: 0)
    /// What to take from the network's logits to get ln p.
    private(set) var shift: Float = 0
    /// ln p that stands for 0.
    static let impossible: Float = -1e30
    /// Probabilities are at least this, in logarithms.
    private static let least: Float = -40
    /// Divergences above this are not told apart.
    private static let farthest = 5.0

    init(size: Int) {
        network = [Float](repeating: 0, count: size)
        counts = network
    }

    /// - Parameters:
    ///   - logits: [V]: the network's.
    ///   - cursor: the place in the text.
    mutating func set(logits: UnsafePointer<Float>, cursor: borrowing NGramCursor, of table: some NGramTable) {
        let size = network.count
        let context = counts.withUnsafeMutableBufferPointer { cursor.predict(from: table, into: $0) }
        var highest = -Float.infinity
        for index in 0..<size { highest = max(highest, logits[index]) }
        var sum = 0.0
        for index in 0..<size { sum += Double(expf(logits[index] - highest)) }
        shift = highest + Float(log(sum))
        var (entropy, cross, other, back) = (0.0, 0.0, 0.0, 0.0)
        network.withUnsafeMutableBufferPointer { network in
            counts.withUnsafeMutableBufferPointer { counts in
                for index in 0..<size where index != table.vocabulary.excluded {
                    // What is not a number stays so, for the loss to tell.
                    let own = logits[index] - shift
                    let a = own < Self.least ? Self.least : own
                    let (p, q) = (expf(a), counts[index])
                    let b = max(Self.least, logf(q))
                    entropy += Double(p * a)
                    cross += Double(p * b)
                    other += Double(q * b)
                    back += Double(q * a)
                    (network[index], counts[index]) = (a, b)
                }
                if let excluded = table.vocabulary.excluded {
                    (network[excluded], counts[excluded]) = (Self.impossible, Self.impossible)
                }
            }
        }
        let divergences = (min(Self.farthest, entropy - cross), min(Self.farthest, other - back))
        setFeatures(entropies: (-entropy, -other), divergences, context)
    }

    /// - Parameters:
    ///   - entropies: of the network and of the counts, in nats.
    ///   - divergences: of the counts from the network and of the network from the counts (Kullback & Leibler 1951).
    private mutating func setFeatures(
        entropies: (Double, Double), _ divergences: (Double, Double), _ context: NGramCursor.Context
    ) {
        let (x, y) = entropies
        let (total, followers) = (log(1 + Double(context.total)), log(Double(context.followers)))
        features = [
            1, x, y, divergences.0, divergences.1, Double(context.length), followers, total,
            x * x, y * y, x * y, total * x, total * y, followers * x, followers * y,
        ]
    }
}
