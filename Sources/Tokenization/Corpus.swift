/// A text of one or more files as a sequence of tokens.
///
/// A token is an index into `symbols`, which are in order of first occurrence. The vocabulary is built later, from the
/// training part.
public struct Corpus: Sendable {
    public struct File: Sendable, Equatable {
        public var name: String
        /// The file's tokens.
        public var tokens: Range<Int>
        public var counts: TextCounts
        public var reading = TextReading()
    }

    public let unit: TextUnit
    public let normalization: Normalization
    /// What ends a record, if the text has records. Each record's last token is `endOfRecord`.
    public let records: RecordSeparator?
    /// The token after a record, used instead of a symbol index.
    public static let endOfRecord = 0x7FFF_FFFF
    /// The largest token that is not an end of a record. An end is ``endOfRecord`` minus the number of separator
    /// characters after the first one.
    static let lastSymbol = endOfRecord - 255
    /// The index of the symbol of a token, or ``endOfRecord``.
    @inline(__always)
    private static func symbol(_ token: UInt32) -> Int {
        let index = Int(token & 0x7FFF_FFFF)
        return index > lastSymbol ? endOfRecord : index
    }
    public var symbols: [Symbol] { contents.symbols }
    public var files: [File] { contents.files }
    public let counts: TextCounts
    /// SHA-256 of the bytes of all files, one after the other.
    public var sha256: String { contents.sha256 }
    /// How the cache was used, if there is one.
    public private(set) var caching: Caching?
    /// Bit 31: a character of the text starts here. The rest: the index of the symbol.
    private let tokens: TokenBuffer
    private let contents: Contents

    /// What is known about a text apart from its tokens.
    struct Contents: Sendable {
        var symbols: [Symbol] = []
        var files: [File] = []
        var sha256 = ""
        /// Where a piece of the original has more (or fewer) characters than its symbols indicate, and the difference.
        var surplus: [(token: Int, characters: Int)] = []
    }

    /// How the cache was used for a text's tokens.
    public enum Caching: Sendable, Equatable {
        case read
        case written
        /// The cached file was damaged and was rewritten.
        case rewritten
        /// The tokens could not be cached, with the reason.
        case failed(String)
    }

    /// Reads texts in order.
    ///
    /// - Parameters:
    ///   - sources: the texts.
    ///   - unit: what one symbol is.
    ///   - normalization: must be `none` for the byte unit.
    ///   - format: how bytes are decoded to text.
    ///   - records: what separates the records of a text; nil for a text without records.
    ///   - folder: a folder that caches the tokens of texts; used only for files, which can be read twice.
    ///   - progress: called regularly with the number of bytes read so far.
    /// - Throws: `TextError` if a text cannot be read, decoded or stored.
    public init(
        reading sources: [TextSource], unit: TextUnit = .grapheme, normalization: Normalization = .nfc,
        format: TextFormat = TextFormat(), records: RecordSeparator? = nil, cache folder: String? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(TextError) {
        let form = unit == .byte ? Normalization.none : normalization
        let reader = TextReader(format: unit == .byte ? nil : format)
        let options = [
            unit.rawValue, form.rawValue, records.map { "records \($0.name)" } ?? "",
            reader.format.map { "\($0.encoding.name) \($0.onInvalid) \($0.newlines)" } ?? "",
        ]
        let cache = try folder.flatMap { folder throws(TextError) in
            try TokenCache(folder, for: sources, reading: options)
        }
        if let (tokens, contents) = try cache?.load(sources) {
            self.init(unit: unit, normalization: form, records: records, tokens: tokens, contents: contents)
            caching = .read
            return
        }
        let wasThere = cache?.exists ?? false
        try self.init(
            reading: sources, unit: unit, normalization: form, reader: reader, records: records,
            progress: progress)
        // A text that changed between the two reads is not cached.
        if let cache, cache.sha256 == sha256 {
            let reason = cache.store(tokens, contents)
            caching = reason.map { .failed($0) } ?? (wasThere ? .rewritten : .written)
        }
    }

    private init(
        unit: TextUnit, normalization: Normalization, records: RecordSeparator?, tokens: TokenBuffer, contents: Contents
    ) {
        (self.unit, self.normalization, self.records) = (unit, normalization, records)
        (self.tokens, self.contents) = (tokens, contents)
        counts = contents.files.reduce(into: TextCounts()) { $0 += $1.counts }
    }

    init(
        reading sources: [TextSource], unit: TextUnit, normalization: Normalization, reader: TextReader,
        records: RecordSeparator? = nil, into tokens: TokenBuffer = TokenBuffer(), progress: (Int) -> Void = { _ in }
    ) throws(TextError) {
        var reading = CorpusReading(
            try Tokenizer(unit: unit, normalization: normalization), records: records, into: tokens)
        for source in sources { try reading.read(source, with: reader, progress: progress) }
        try tokens.seal()
        self.init(
            unit: unit, normalization: normalization, records: records, tokens: tokens, contents: reading.contents)
    }

    /// The number of tokens.
    public var count: Int { tokens.count }

    /// The index in `symbols` of the token at a position.
    public subscript(position: Int) -> Int { Self.symbol(tokens[position]) }

    /// Whether the tokens are in a file, because there are many.
    public var isInFile: Bool { tokens.isInFile }

    /// Calls `body` with the position and symbol index of each token in a range.
    package func forEachToken(in range: Range<Int>, _ body: (_ position: Int, _ symbol: Int) -> Void) {
        var position = range.lowerBound
        tokens.forEachBlock(in: range) { block in
            for token in block {
                body(position, Self.symbol(token))
                position += 1
            }
        }
    }

    /// Copies the symbol indices of the tokens in a range.
    package func copy(_ range: Range<Int>, into symbols: UnsafeMutablePointer<Int32>) {
        var next = symbols
        tokens.forEachBlock(in: range) { block in
            for token in block {
                next.pointee = Int32(Self.symbol(token))
                next += 1
            }
        }
    }

    /// The number of characters of the original text in ranges of tokens, which must be in order.
    public func characters(in ranges: [Range<Int>]) -> Int {
        var characters = 0
        var rest = contents.surplus[...]
        for range in ranges {
            tokens.forEachBlock(in: range) { block in
                for token in block {
                    let index = Int(token & 0x7FFF_FFFF)
                    characters += Int(token >> 31) + (index > Self.lastSymbol ? Self.endOfRecord - index : 0)
                }
            }
            rest = rest.drop { $0.token < range.lowerBound }
            while let first = rest.first, first.token < range.upperBound {
                characters += first.characters
                rest.removeFirst()
            }
        }
        return characters
    }

    /// The number of characters of the original text in a range of tokens.
    public func characters(in range: Range<Int>) -> Int { characters(in: [range]) }

    /// The bytes of the tokens in a range: the normalized text. Ends of records have no bytes.
    public func bytes(in range: Range<Int>) -> [UInt8] {
        range.flatMap { self[$0] == Self.endOfRecord ? [] : symbols[self[$0]].bytes }
    }

    /// How often each of `symbols` occurs in the ranges.
    public func occurrences(in ranges: [Range<Int>]) -> [Int] {
        var counts = [Int](repeating: 0, count: symbols.count)
        for range in ranges {
            tokens.forEachBlock(in: range) {
                for token in $0 where Int(token & 0x7FFF_FFFF) <= Self.lastSymbol {
                    counts[Int(token & 0x7FFF_FFFF)] += 1
                }
            }
        }
        return counts
    }
}
