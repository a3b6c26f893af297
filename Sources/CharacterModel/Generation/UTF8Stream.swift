/// Turns symbols into text that is always well-formed.
///
/// Symbols of a byte model may be parts of a character: an incomplete sequence is held back until it is complete, and
/// one that can never be completed becomes U+FFFD.
public struct UTF8Stream: Sendable {
    private var pending: [UInt8] = []

    public init() {}

    /// Adds bytes; returns the text that is now complete.
    public mutating func append(_ bytes: [UInt8]) -> String {
        pending += bytes
        let whole = pending.count - incompleteSuffix
        defer { pending.removeFirst(whole) }
        return String(decoding: pending[..<whole], as: UTF8.self)
    }

    /// Returns what is left at the end of the stream.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// The length of a final sequence that only lacks continuation bytes.
    private var incompleteSuffix: Int {
        for length in 1...3 where length <= pending.count {
            let byte = pending[pending.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 && byte < 0xF5 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
            guard byte < 0xF5, length < needed else { return 0 }
            return isPossible(pending[(pending.count - length)...]) ? length : 0
        }
        return 0
    }

    /// Whether the sequence can still become well-formed (Unicode, table 3-7).
    private func isPossible(_ sequence: ArraySlice<UInt8>) -> Bool {
        guard sequence.count >= 2 else { return true }
        let second = sequence[sequence.startIndex + 1]
        switch sequence[sequence.startIndex] {
        case 0xE0: return second >= 0xA0
        case 0xED: return second < 0xA0
        case 0xF0: return second >= 0x90
        case 0xF4: return second < 0x90
        default: return true
        }
    }
}
