/// How the next symbol is chosen from the model's distribution.
///
/// The order is fixed: repetition penalty, temperature, top-k, top-p, min-p, draw. Illegal values cannot be made.
public enum SamplingStrategy: Sendable, Equatable {
    /// The likeliest symbol.
    case greedy
    case sampled(Temperature, keeping: SamplingFilter)
}

/// A divisor of the logits, above 0.
public struct Temperature: Sendable, Equatable {
    public let value: Double

    /// - Throws: `SamplingError` unless the value is finite and above 0.
    public init(_ value: Double) throws(SamplingError) {
        guard value > 0 && value.isFinite else {
            throw SamplingError(name: "temperature", value: "\(value)", allowed: "above 0 (0 is greedy)")
        }
        self.value = value
    }
}

/// Which symbols may be drawn. Each filter sees what the one before it has kept, renormalized.
public struct SamplingFilter: Sendable, Equatable {
    /// The k likeliest (Fan, Lewis & Dauphin 2018).
    public let topK: Int?
    /// The fewest likeliest whose probabilities sum to at least p (Holtzman et al. 2020).
    public let topP: Double?
    /// Those at least this part as likely as the likeliest (Nguyen et al. 2024).
    public let minP: Double?

    public static let everything = SamplingFilter()

    private init() { (topK, topP, minP) = (nil, nil, nil) }

    /// - Throws: `SamplingError` for k below 1, p outside (0, 1], or a minimum outside [0, 1].
    public init(topK: Int? = nil, topP: Double? = nil, minP: Double? = nil) throws(SamplingError) {
        if let topK, topK < 1 { throw SamplingError(name: "top-k", value: "\(topK)", allowed: "at least 1") }
        if let topP, !(topP > 0 && topP <= 1) {
            throw SamplingError(name: "top-p", value: "\(topP)", allowed: "above 0 and at most 1")
        }
        if let minP, !(minP >= 0 && minP <= 1) {
            throw SamplingError(name: "min-p", value: "\(minP)", allowed: "from 0 to 1")
        }
        self.topK = topK
        self.topP = topP
        self.minP = minP
    }
}

/// A divisor of positive logits and factor of negative ones, for symbols that occur among the last 64 (Keskar et al. 2019).
public struct RepetitionPenalty: Sendable, Equatable {
    public let value: Double
    /// How many of the last symbols count as repeated.
    public static let reach = 64
    public static let none = RepetitionPenalty()

    private init() { value = 1 }

    /// - Throws: `SamplingError` unless the value is finite and above 0.
    public init(_ value: Double) throws(SamplingError) {
        guard value > 0 && value.isFinite else {
            throw SamplingError(name: "repetition-penalty", value: "\(value)", allowed: "above 0 (1 is none)")
        }
        self.value = value
    }
}

/// A value of a sampling option that is out of its range.
public struct SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
    public let name: String
    public let value: String
    public let allowed: String

    public var description: String { "\(name) is \(value); it must be \(allowed)" }
}
