/// SplitMix64 (Steele, Lea & Flood 2014): one word of state, so deriving a stream costs one addition.
///
/// Streams are derived from a seed and a path of numbers (a step, a layer, a shard), never from earlier draws: a stream
/// does not depend on the order in which threads use it.
public struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    @usableFromInline
    var state: UInt64

    @inlinable
    public init(seed: UInt64, stream: UInt64...) {
        state = Self.mix(seed)
        for part in stream { state = Self.mix(state ^ Self.mix(part &+ 0x9E37_79B9_7F4A_7C15)) }
    }

    @inlinable
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    @inlinable
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    @inlinable
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
