/// The distinct n-grams of one length, keyed by prefix and last symbol, in a hash table with open addressing.
struct NGramTable {
    /// The prefix (an index into the table of the next shorter length) and the last symbol.
    private(set) var keys: [UInt64] = []
    /// How often each occurs.
    var counts: [UInt32] = []
    /// How many distinct symbols precede it, or how often it occurs if it begins a text.
    var continuations: [UInt32] = []
    /// The index of an n-gram plus 1; 0 for an empty slot. The number of slots is a power of two.
    private var places = [UInt32](repeating: 0, count: 1 << 10)

    var count: Int { keys.count }

    /// The index of a prefix.
    func prefix(of index: Int) -> Int { Int(keys[index] >> 32) }

    /// The last symbol of an n-gram.
    func symbol(of index: Int) -> Int32 { Int32(truncatingIfNeeded: keys[index]) }

    /// The index of a prefix followed by a symbol; nil if it does not occur.
    func find(_ prefix: Int, _ symbol: Int32) -> Int? {
        let key = Self.key(prefix, symbol)
        var place = Self.hash(key) & (places.count - 1)
        while places[place] != 0 {
            if keys[Int(places[place]) - 1] == key { return Int(places[place]) - 1 }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// The same, but adds it if it is new.
    mutating func insert(_ prefix: Int, _ symbol: Int32) -> (index: Int, isNew: Bool) {
        let key = Self.key(prefix, symbol)
        var place = Self.hash(key) & (places.count - 1)
        while places[place] != 0 {
            if keys[Int(places[place]) - 1] == key { return (Int(places[place]) - 1, false) }
            place = (place + 1) & (places.count - 1)
        }
        keys.append(key)
        counts.append(0)
        continuations.append(0)
        places[place] = UInt32(keys.count)
        if 3 * keys.count > 2 * places.count { grow() }
        return (keys.count - 1, true)
    }

    private mutating func grow() {
        var larger = [UInt32](repeating: 0, count: 2 * places.count)
        for (index, key) in keys.enumerated() {
            var place = Self.hash(key) & (larger.count - 1)
            while larger[place] != 0 { place = (place + 1) & (larger.count - 1) }
            larger[place] = UInt32(index + 1)
        }
        places = larger
    }

    private static func key(_ prefix: Int, _ symbol: Int32) -> UInt64 {
        UInt64(prefix) << 32 | UInt64(UInt32(bitPattern: symbol))
    }

    /// The finalizer of SplitMix64 (Steele, Lea & Flood 2014).
    private static func hash(_ key: UInt64) -> Int {
        var bits = key
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (bits ^ bits >> 31) & 0x7FFF_FFFF_FFFF_FFFF)
    }
}
