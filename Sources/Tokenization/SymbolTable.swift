/// Ids for symbols, in the order in which they were first seen.
struct SymbolTable: Sendable {
    private(set) var symbols: [Symbol] = []
    private var single = [Int32](repeating: -1, count: 256)
    private var short: [UInt64: Int32] = [:]
    private var long: [Symbol: Int32] = [:]

    /// Up to seven bytes and their number, in one word.
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

    /// The id of a symbol, a new one if it was not in the table.
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
}
