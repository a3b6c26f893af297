import Randomness
import Tokenization

/// The hash of a record's text (FNV-1a, mixed), which is the same in every corpus.
struct RecordHash {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func append(_ bytes: [UInt8]) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    var value: UInt64 {
        var generator = SplitMix64(seed: hash)
        return generator.next()
    }
}

extension Corpus {
    /// Calls `body` with the tokens of each record, including its end, and its hash.
    func forEachRecord(_ body: (Range<Int>, UInt64) -> Void) {
        guard records != nil else { return }
        var (start, hash) = (0, RecordHash())
        forEachToken(in: 0..<count) { position, symbol in
            if symbol == Self.endOfRecord {
                body(start..<position + 1, hash.value)
                (start, hash) = (position + 1, RecordHash())
            } else {
                hash.append(symbols[symbol].bytes)
            }
        }
    }

    /// The number of records that end in the ranges.
    func recordCount(in ranges: [Range<Int>]) -> Int {
        guard records != nil else { return 0 }
        var records = 0
        for range in ranges { forEachToken(in: range) { if $1 == Self.endOfRecord { records += 1 } } }
        return records
    }
}
