/// A text of one or more files as a sequence of tokens.
///
/// A token is an index into `symbols`, which are in the order of their first occurrence: the vocabulary comes later,
/// from the part that trains.
public struct Corpus: Sendable {
    public struct File: Sendable, Equatable {
        public var name: String
        /// Its tokens.
        public var tokens: Range<Int>
        public var counts: TextCounts
        public var reading = TextReading()
    }

    public let unit: TextUnit
    public let normalization: Normalization
    public private(set) var symbols: [Symbol] = []
    public private(set) var files: [File] = []
    public private(set) var counts = TextCounts()
    /// SHA-256 of the bytes of all files, one after the other.
    public private(set) var sha256 = ""
    /// Bit 31: a character of the text starts here. The rest: the index of the symbol.
    private let tokens: TokenBuffer
    /// Where a piece of the original held more (or fewer) characters than its symbols say, and how many.
    private var surplus: [(token: Int, characters: Int)] = []

    /// Reads texts in order.
    ///
    /// - Parameter normalization: not for the byte unit, which takes bytes as they are.
    /// - Throws: `TextError` for what cannot be read or decoded.
    public init(
        reading sources: [TextSource], unit: TextUnit = .grapheme, normalization: Normalization = .nfc,
        format: TextFormat = TextFormat()
    ) throws(TextError) {
        let form = unit == .byte ? Normalization.none : normalization
        let reader = TextReader(format: unit == .byte ? nil : format)
        try self.init(reading: sources, unit: unit, normalization: form, reader: reader)
    }

    init(
        reading sources: [TextSource], unit: TextUnit, normalization: Normalization, reader: TextReader
    ) throws(TextError) {
        self.unit = unit
        self.normalization = normalization
        let tokenizer = try Tokenizer(unit: unit, normalization: normalization)
        var sink = TokenSink()
        tokens = sink.tokens
        let digest = SHA256()
        for source in sources {
            var file = File(name: source.name, tokens: sink.tokens.count..<sink.tokens.count, counts: TextCounts())
            var surplus: [(token: Int, characters: Int)] = []
            var inWord = false
            file.reading = try reader.forEachPiece(of: source, raw: digest.update) { bytes, offset throws(TextError) in
                let piece = try tokenizer.tokenize(
                    bytes, path: source.name, offset: offset, inWord: &inWord, into: &sink)
                file.counts += piece.counts
                if piece.surplusCharacters != 0 { surplus.append((sink.tokens.count - 1, piece.surplusCharacters)) }
            }
            // What was there before line ends were made one.
            file.counts.bytes += file.reading.dropped
            file.counts.scalars += file.reading.dropped
            file.tokens = file.tokens.lowerBound..<sink.tokens.count
            files.append(file)
            counts += file.counts
            self.surplus += surplus
        }
        symbols = sink.table.symbols
        sha256 = digest.finalize()
    }

    /// The number of tokens.
    public var count: Int { tokens.count }

    /// The index in `symbols` of the token at a position.
    public subscript(position: Int) -> Int { Int(tokens[position] & 0x7FFF_FFFF) }

    /// How many characters of the original text the tokens in a range stand for.
    public func characters(in range: Range<Int>) -> Int {
        var started = 0
        tokens.forEachBlock(in: range) { for token in $0 { started += Int(token >> 31) } }
        return surplus.reduce(started) { range.contains($1.token) ? $0 + $1.characters : $0 }
    }

    /// The bytes that the tokens in a range spell: the normalized text.
    public func bytes(in range: Range<Int>) -> [UInt8] { range.flatMap { symbols[self[$0]].bytes } }

    /// How often each of `symbols` occurs in a range.
    public func occurrences(in range: Range<Int>) -> [Int] {
        var counts = [Int](repeating: 0, count: symbols.count)
        tokens.forEachBlock(in: range) { for token in $0 { counts[Int(token & 0x7FFF_FFFF)] += 1 } }
        return counts
    }
}
