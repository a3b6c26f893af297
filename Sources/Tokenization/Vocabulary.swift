import Glibc

/// The symbols a model knows, and how text is split into them.
///
/// Ordinary symbols have ids `0..<n` in the order of their bytes; two special ones follow: `boundary`, the input before
/// a text's first symbol, and `unknown`, which represents every symbol that is not ordinary.
public struct Vocabulary: Sendable {
    public let unit: TextUnit
    public let normalization: Normalization
    /// The versions of ICU and Unicode used to tokenize the training text.
    public let versions: UnicodeVersions
    /// The record separator of the training text, if it had records.
    public let records: RecordSeparator?
    private let table: SymbolTable

    /// - Requires: `symbols` in strictly increasing order; single bytes for the byte unit.
    public init(
        unit: TextUnit, normalization: Normalization, versions: UnicodeVersions = .current,
        records: RecordSeparator? = nil, symbols: [Symbol]
    ) {
        precondition(zip(symbols, symbols.dropFirst()).allSatisfy(<), "symbols are not in strictly increasing order")
        precondition(
            unit != .byte || symbols.allSatisfy { $0.bytes.count == 1 }, "a symbol of the byte unit is one byte")
        self.unit = unit
        self.normalization = normalization
        self.versions = versions
        self.records = records
        var table = SymbolTable()
        for symbol in symbols { symbol.bytes.withUnsafeBufferPointer { _ = table.intern($0) } }
        self.table = table
    }

    /// The vocabulary of a part of a corpus: the symbols that occur at least `minimumCount` times in it.
    public init(of part: Range<Int>, in corpus: Corpus, minimumCount: Int = 1) {
        self.init(of: [part], in: corpus, minimumCount: minimumCount)
    }

    /// The vocabulary of parts of a corpus.
    public init(of parts: [Range<Int>], in corpus: Corpus, minimumCount: Int = 1) {
        precondition(minimumCount >= 1, "a minimum count of \(minimumCount)")
        let counts = corpus.occurrences(in: parts)
        let kept = zip(corpus.symbols, counts).filter { $0.1 >= minimumCount }.map(\.0).sorted()
        self.init(
            unit: corpus.unit, normalization: corpus.normalization, records: corpus.records, symbols: kept)
    }

    /// The ordinary symbols, by id.
    public var symbols: [Symbol] { table.symbols }
    /// V: the ordinary symbols and the two special ones.
    public var count: Int { symbols.count + 2 }
    public var boundary: Int { symbols.count }
    public var unknown: Int { symbols.count + 1 }

    /// The id of a symbol; `unknown` if it is not an ordinary one.
    public func id(of symbol: Symbol) -> Int {
        symbol.bytes.withUnsafeBufferPointer { Int(table.id(of: $0) ?? Int32(unknown)) }
    }

    /// The ids of the symbols of a text.
    public func encode(_ text: String) throws(TextError) -> [Int] {
        let tokenizer = try Tokenizer(unit: unit, normalization: normalization)
        return try tokenizer.symbols(of: Array(text.utf8)).map { id(of: $0) }
    }

    /// The bytes of the symbols with these ids. The special symbols have none.
    public func decode(_ ids: some Sequence<Int>) -> [UInt8] {
        ids.flatMap { $0 < symbols.count ? symbols[$0].bytes : [] }
    }

    /// The cost in nats of spelling an unknown symbol, in addition to -ln p(unknown): 8 bits for each byte and for the
    /// end. 0xFF never occurs in UTF-8, so it can end a spelling; this is a proper code. A symbol of the byte unit is
    /// one byte and needs no end.
    public func spellingCost(of symbol: Symbol) -> Double {
        let bytes = unit == .byte ? 1 : symbol.bytes.count + 1
        return Double(8 * bytes) * log(2)
    }
}
