/// Ids of symbols, in order of first occurrence.
struct SymbolTable: Sendable {
    private(set) var symbols: [Symbol] = []
    private var single = [Int32](repeating: -1, count: 256)
    /// Indexed by scalar, in pages of 256, for symbols of one non-ASCII scalar.
    private var scalars = [[Int32]](repeating: [], count: 0x1100)
    private var short: [UInt64: Int32] = [:]
    private var long: [Symbol: Int32] = [:]

    /// Packs up to seven bytes and their count into one word.
    private static func key(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var key = UInt64(bytes.count)
        for byte in bytes { key = key << 8 | UInt64(byte) }
        return key
    }

    /// The id of a symbol, or nil if it is not in the table.
    func id(of bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        switch bytes.count {
        case 1:
            let id = single[Int(bytes[0])]
            return id >= 0 ? id : nil
        case 2...7: return short[Self.key(bytes)]
        default: return long[Symbol(bytes: Array(bytes))]
        }
    }

    /// The id of a symbol, which is added if it is not in the table.
    mutating func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        if let id = id(of: bytes) { return id }
        let id = Int32(symbols.count)
        let symbol = Symbol(bytes: Array(bytes))
        switch bytes.count {
        case 1: single[Int(bytes[0])] = id
        case 2...7: short[Self.key(bytes)] = id
        default: long[symbol] = id
        }
        symbols.append(symbol)
        return id
    }

    /// Passes on the ids of the ASCII characters at the beginning of a part of a text, up to the first that is not
    /// ASCII or has no id; returns their number.
    @inline(__always)
    func lookUpASCII(_ text: UnsafeBufferPointer<UInt8>, _ part: Range<Int>, _ body: (Int32) -> Void) -> Int {
        single.withUnsafeBufferPointer { single in
            for index in part {
                let byte = text[index]
                let id = single[Int(byte)]
                guard byte < 0x80 && id >= 0 else { return index - part.lowerBound }
                body(id)
            }
            return part.count
        }
    }

    /// The id of a symbol of one scalar, given its bytes in a text.
    @inline(__always)
    mutating func intern(scalar: UInt32, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int32 {
        if scalar < 0x80 {
            let id = single[Int(scalar)]
            if id >= 0 { return id }
        } else if case let page = scalars[Int(scalar >> 8)], !page.isEmpty {
            let id = page[Int(scalar & 0xFF)]
            if id >= 0 { return id }
        }
        return internNew(scalar: scalar, UnsafeBufferPointer(rebasing: text[range]))
    }

    private mutating func internNew(scalar: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        let id = intern(bytes)
        guard scalar >= 0x80 else { return id }
        let page = Int(scalar >> 8)
        if scalars[page].isEmpty { scalars[page] = [Int32](repeating: -1, count: 256) }
        scalars[page][Int(scalar & 0xFF)] = id
        return id
    }
}
