import RealModule

/// How the next symbol is chosen from the model's distribution.
///
/// The order is fixed: biases, repetition penalty, bans, temperature, top-k, top-p, min-p, typical, mirostat, draw.
/// Invalid values cannot be constructed.
public enum SamplingStrategy: Sendable, Equatable {
    /// The likeliest symbol.
    case greedy
    case sampled(Temperature, keeping: SamplingFilter)
}

/// Keeps the surprise of the drawn symbols near a target (mirostat 2: Basu, Ramachandran, Keskar & Varshney 2021):
/// symbols more surprising than a limit are excluded, and the limit adapts after each draw.
public struct Mirostat: Sendable, Equatable {
    /// In bits.
    public let target: Double
    /// How fast the limit adapts.
    public let rate: Double

    /// - Throws: `SamplingError` unless both are finite and above 0.
    public init(target: Double, rate: Double = 0.1) throws(SamplingError) {
        for (name, value) in [("mirostat", target), ("mirostat-rate", rate)] where !(value > 0 && value.isFinite) {
            throw SamplingError(name: name, value: "\(value)", allowed: "finite and above 0")
        }
        self.target = target
        self.rate = rate
    }

    /// The limit before the first draw.
    package var firstLimit: Double { 2 * target }

    /// The limit after drawing a symbol with the given probability.
    package func limit(after limit: Double, drawn probability: Double) -> Double {
        limit - rate * (-.log2(probability) - target)
    }
}

/// A divisor of the logits, above 0.
public struct Temperature: Sendable, Equatable {
    public let value: Double

    /// - Throws: `SamplingError` unless the value is finite and above 0.
    public init(_ value: Double) throws(SamplingError) {
        guard value > 0 && value.isFinite else {
            throw SamplingError(name: "temperature", value: "\(value)", allowed: "above 0, or 0 for greedy sampling")
        }
        self.value = value
    }
}

/// Which symbols may be drawn. Each filter is applied to what the previous one kept, renormalized.
public struct SamplingFilter: Sendable, Equatable {
    /// The k likeliest (Fan, Lewis & Dauphin 2018).
    public let topK: Int?
    /// The fewest likeliest whose probabilities sum to at least p (Holtzman et al. 2020).
    public let topP: Double?
    /// Symbols at least this fraction as likely as the likeliest (Nguyen et al. 2024).
    public let minP: Double?
    /// The smallest set of symbols whose surprise is closest to the entropy and whose probabilities sum to at least
    /// this (locally typical: Meister, Pimentel, Wiher & Cotterell 2023).
    public let typical: Double?

    public static let everything = SamplingFilter()

    private init() { (topK, topP, minP, typical) = (nil, nil, nil, nil) }

    private static func check(
        _ name: String, _ value: Double?, _ allowed: String, _ isAllowed: (Double) -> Bool
    ) throws(SamplingError) {
        guard let value, !isAllowed(value) else { return }
        throw SamplingError(name: name, value: "\(value)", allowed: allowed)
    }

    /// - Throws: `SamplingError` for k below 1, p or a typical mass outside (0, 1], or a minimum outside [0, 1].
    public init(
        topK: Int? = nil, topP: Double? = nil, minP: Double? = nil, typical: Double? = nil
    ) throws(SamplingError) {
        if let topK, topK < 1 { throw SamplingError(name: "top-k", value: "\(topK)", allowed: "at least 1") }
        try Self.check("top-p", topP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try Self.check("typical", typical, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try Self.check("min-p", minP, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.typical = typical
    }
}

/// For recently used symbols, positive logits are divided and negative ones multiplied by this (Keskar et al. 2019).
public struct RepetitionPenalty: Sendable, Equatable {
    public let value: Double
    /// How many of the last symbols are penalized.
    public let reach: Int
    public static let none = RepetitionPenalty()

    private init() { (value, reach) = (1, 0) }

    /// - Throws: `SamplingError` unless the value is finite and above 0, and the reach at least 1.
    public init(_ value: Double, reach: Int = 64) throws(SamplingError) {
        guard value > 0 && value.isFinite else {
            throw SamplingError(name: "repetition-penalty", value: "\(value)", allowed: "above 0 (1 is none)")
        }
        guard reach >= 1 else {
            throw SamplingError(name: "repetition-window", value: "\(reach)", allowed: "at least 1")
        }
        self.value = value
        self.reach = reach
    }
}

/// A sampling option is out of its range.
public struct SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
    public let name: String
    public let value: String
    public let allowed: String

    public var description: String { "\(name) is \(value); it must be \(allowed)" }
}
