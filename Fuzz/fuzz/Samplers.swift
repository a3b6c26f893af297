import CharacterModel

/// Any logits and valid options give a distribution: ids that exist, once each, and probabilities that sum to 1.
///
/// The first eight bytes are the options, the rest are logits, bit for bit.
func fuzzSampler(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 12 else { return }
    let logits = stride(from: 8, to: bytes.count - 3, by: 4).map { at in
        Float(bitPattern: bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }
    func fraction(_ byte: UInt8) -> Double { Double(byte) / 255 }
    let flags = bytes[0]
    guard let temperature = try? Temperature(fraction(bytes[1]) * (flags & 1 == 0 ? 4 : 1e-3)),
        let filter = try? SamplingFilter(
            topK: flags & 2 == 0 ? nil : Int(bytes[2]), topP: flags & 4 == 0 ? nil : fraction(bytes[3]),
            minP: flags & 8 == 0 ? nil : fraction(bytes[4])),
        let penalty = try? RepetitionPenalty(flags & 16 == 0 ? 1 : fraction(bytes[5]) * 3)
    else { return }
    let strategy = flags & 32 == 0 ? SamplingStrategy.sampled(temperature, keeping: filter) : .greedy
    let recent = Set(logits.indices.filter { $0 % 7 == Int(bytes[6]) % 7 })
    let distribution = Distribution(logits: logits, strategy: strategy, penalty: penalty, recent: recent)
    let ids = distribution.candidates.map(\.id)
    require(!ids.isEmpty && Set(ids).count == ids.count && ids.allSatisfy(logits.indices.contains), "ids")
    if logits.allSatisfy({ abs($0) < 1e30 }) {
        let sum = distribution.candidates.reduce(0) { $0 + $1.probability }
        require(abs(sum - 1) < 1e-9, "a sum of \(sum)")
        if let k = filter.topK, strategy != .greedy { require(ids.count <= k, "more than k") }
    }
    var generator = Bits(state: UInt64(bytes[7]) << 32 | 1)
    for _ in 0..<4 { require(ids.contains(distribution.draw(using: &generator)), "a draw outside the distribution") }
}

private struct Bits: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
