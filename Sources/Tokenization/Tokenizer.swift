import CICU

/// Splits text into symbols: decoding, normalization, segmentation.
///
/// Text arrives in pieces, split where no cluster or normalization segment crosses (a text reader finds such places),
/// so a text's symbols do not depend on how it was split. Use one tokenizer per thread.
public final class Tokenizer {
    public let unit: TextUnit
    public let normalization: Normalization
    private let clusters: ClusterIterator
    private let kinds: ScalarKinds

    /// The counts of one piece.
    struct Piece {
        var counts = TextCounts()
        /// How many more characters the original has than symbols marked as starting one.
        var surplusCharacters = 0
    }

    /// - Throws: `TextError.unicode` if ICU's data cannot be loaded.
    /// - Requires: the byte unit has no normalization.
    public init(unit: TextUnit, normalization: Normalization) throws(TextError) {
        precondition(unit != .byte || normalization == .none, "bytes are taken as they are")
        self.unit = unit
        self.normalization = normalization
        clusters = try ClusterIterator()
        kinds = try ScalarKinds(normalization)
    }

    /// Passes the symbols of a piece to a sink.
    ///
    /// - Parameter inWord: whether the previous piece ended in a word; updated for the next piece.
    /// - Throws: `TextError.invalidUTF8`, with `path` and an offset counted from `offset`, unless the unit is the byte.
    func tokenize(
        _ piece: UnsafeBufferPointer<UInt8>, path: String, offset: Int, inWord: inout Bool,
        into sink: inout some SymbolSink
    ) throws(TextError) -> Piece {
        var result = Piece()
        result.counts.bytes += piece.count
        if let invalid = firstInvalidByte(of: piece) {
            guard unit == .byte else { throw .invalidUTF8(path: path, offset: offset + invalid) }
            try tokenizeIllFormed(piece, &result, &inWord, &sink)
        } else {
            try tokenizeScalars(piece, &result, &inWord, &sink)
        }
        return result
    }

    /// The symbols of a whole text.
    public func symbols(of text: [UInt8], path: String = "the text") throws(TextError) -> [Symbol] {
        struct Sink: SymbolSink {
            var symbols: [Symbol] = []

            mutating func append(_ symbol: UnsafeBufferPointer<UInt8>, startsCharacter: Bool) {
                symbols.append(Symbol(bytes: Array(symbol)))
            }
        }
        var sink = Sink()
        var inWord = false
        _ = try text.withUnsafeBufferPointer { bytes throws(TextError) in
            try tokenize(bytes, path: path, offset: 0, inWord: &inWord, into: &sink)
        }
        return sink.symbols
    }

    /// Counts the words of text that may not be UTF-8, and passes its bytes through.
    private func tokenizeIllFormed(
        _ piece: UnsafeBufferPointer<UInt8>, _ result: inout Piece, _ inWord: inout Bool,
        _ sink: inout some SymbolSink
    ) throws(TextError) {
        let text = try utf16(of: piece)
        for scalar in String(decoding: text, as: UTF16.self).unicodeScalars {
            let isSpace = try kinds.kind(of: scalar.value) & UInt8(CICU_WHITE_SPACE) != 0
            result.counts.addScalar(isSpace: isSpace, inWord: &inWord)
        }
        try appendBytes(piece, text, &result, &sink)
    }

    /// Appends raw bytes; a character starts where a cluster of the decoded text does.
    private func appendBytes(
        _ piece: UnsafeBufferPointer<UInt8>, _ text: [UInt16], _ result: inout Piece, _ sink: inout some SymbolSink
    ) throws(TextError) {
        var starts = [Bool](repeating: false, count: piece.count)
        var scalars = ScalarLengths(piece)
        var (unit, byte) = (0, 0)
        try text.withUnsafeBufferPointer { units throws(TextError) in
            try clusters.forEachEnd(in: units) { end in
                starts[byte] = true
                result.counts.characters += 1
                while unit < end, let next = scalars.next() {
                    unit += next.utf16
                    byte += next.bytes
                }
            }
        }
        for index in piece.indices {
            sink.append(UnsafeBufferPointer(rebasing: piece[index..<index + 1]), startsCharacter: starts[index])
        }
    }

    /// Well-formed UTF-8: in long runs of plain scalars, each scalar is a symbol; ICU handles the rest.
    ///
    /// Between two plain scalars, both clusters and normal forms can be split, so ICU gets each remaining scalar with
    /// one plain neighbour on either side.
    private func tokenizeScalars(
        _ piece: UnsafeBufferPointer<UInt8>, _ result: inout Piece, _ inWord: inout Bool, _ sink: inout some SymbolSink
    ) throws(TextError) {
        // Shorter runs are cheaper as part of what ICU reads.
        let longRun = 8
        /// Everything before this index is done.
        var done = 0
        /// The current run of plain scalars: its length, its second and its last scalar.
        var (run, second, last) = (0, 0, 0)
        var isPlain = true
        var index = 0
        while index < piece.count {
            // Fast path, because most text is mostly ASCII.
            if isPlain {
                let begin = index
                index = plainASCII(piece, from: begin, &result, &inWord)
                if index > begin { last = index - 1 }
            }
            guard index < piece.count else { break }
            let (scalar, length) = piece.scalar(at: index)
            let kind = try kinds.kind(of: scalar)
            result.counts.addScalar(isSpace: kind & UInt8(CICU_WHITE_SPACE) != 0, inWord: &inWord)
            if kind & UInt8(CICU_PLAIN) != 0 {
                run += 1
                if run == 2 { second = index }
                if !isPlain && run == longRun {
                    try tokenizeWithICU(UnsafeBufferPointer(rebasing: piece[done..<second]), &result, &sink)
                    (done, isPlain) = (second, true)
                }
                last = index
            } else {
                if isPlain {
                    appendPlain(piece[done..<max(done, last)], &result, &sink)
                    (done, isPlain) = (max(done, last), false)
                }
                run = 0
            }
            index += length
        }
        if isPlain {
            appendPlain(piece[done...], &result, &sink)
        } else {
            try tokenizeWithICU(UnsafeBufferPointer(rebasing: piece[done...]), &result, &sink)
        }
    }

    /// Counts the plain ASCII from an index on; returns where it ends.
    @inline(__always)
    private func plainASCII(
        _ piece: UnsafeBufferPointer<UInt8>, from begin: Int, _ result: inout Piece, _ inWord: inout Bool
    ) -> Int {
        var index = begin
        var (words, wasSpace) = (0, !inWord)
        while index < piece.count && piece[index] < 0x80 {
            let kind = kinds.first[Int(piece[index])]
            guard kind & UInt8(CICU_PLAIN) != 0 else { break }
            let isSpace = kind & UInt8(CICU_WHITE_SPACE) != 0
            words += wasSpace && !isSpace ? 1 : 0
            wasSpace = isSpace
            index += 1
        }
        guard index > begin else { return begin }
        inWord = !wasSpace
        result.counts.words += words
        result.counts.scalars += index - begin
        return index
    }

    private func appendPlain(
        _ part: Slice<UnsafeBufferPointer<UInt8>>, _ result: inout Piece, _ sink: inout some SymbolSink
    ) {
        for byte in part { result.counts.characters += byte & 0xC0 != 0x80 ? 1 : 0 }
        let part = UnsafeBufferPointer(rebasing: part)
        if unit == .byte { sink.append(bytes: part) } else { sink.append(scalars: part) }
    }

    private func tokenizeWithICU(
        _ part: UnsafeBufferPointer<UInt8>, _ result: inout Piece, _ sink: inout some SymbolSink
    ) throws(TextError) {
        let original = try utf16(of: part)
        if unit == .byte { return try appendBytes(part, original, &result, &sink) }
        let text = try normalization.apply(to: original)
        var started = 0
        try appendClusters(of: text, &started, &sink)
        var characters = started
        if text != original {
            characters = 0
            try original.withUnsafeBufferPointer { units throws(TextError) in
                try clusters.forEachEnd(in: units) { _ in characters += 1 }
            }
        }
        result.counts.characters += characters
        result.surplusCharacters += characters - started
    }

    private func appendClusters(
        of text: [UInt16], _ started: inout Int, _ sink: inout some SymbolSink
    ) throws(TextError) {
        var from = 0
        var scratch: [UInt8] = []
        try text.withUnsafeBufferPointer { units throws(TextError) in
            try clusters.forEachEnd(in: units) { end in
                scratch.removeAll(keepingCapacity: true)
                var starts = true
                while from < end {
                    let begin = scratch.count
                    from += scratch.appendUTF8(of: units, at: from)
                    if unit == .scalar {
                        scratch.withUnsafeBufferPointer {
                            sink.append(UnsafeBufferPointer(rebasing: $0[begin...]), startsCharacter: starts)
                        }
                        starts = false
                    }
                }
                if unit == .grapheme { scratch.withUnsafeBufferPointer { sink.append($0, startsCharacter: true) } }
                started += 1
            }
        }
    }
}

extension [UInt8] {
    /// Appends the UTF-8 of the scalar at an index of well-formed UTF-16; returns how many units it takes.
    fileprivate mutating func appendUTF8(of units: UnsafeBufferPointer<UInt16>, at index: Int) -> Int {
        let unit = UInt32(units[index])
        let isPair = unit & 0xFC00 == 0xD800 && index + 1 < units.count
        let scalar = isPair ? 0x10000 + (unit & 0x3FF) << 10 + UInt32(units[index + 1]) & 0x3FF : unit
        func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift & 0x3F)) }
        switch scalar {
        case ..<0x80: append(UInt8(scalar))
        case ..<0x800:
            append(UInt8(0xC0 | scalar >> 6))
            append(tail(0))
        case ..<0x10000:
            append(UInt8(0xE0 | scalar >> 12))
            append(tail(6))
            append(tail(0))
        default:
            append(UInt8(0xF0 | scalar >> 18))
            append(tail(12))
            append(tail(6))
            append(tail(0))
        }
        return isPair ? 2 : 1
    }
}

/// The offset of the first byte that does not begin a well-formed sequence, or nil.
func firstInvalidByte(of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    do {
        _ = try UTF8Span(validating: bytes.span)
        return nil
    } catch {
        return error.byteOffsets.lowerBound
    }
}

/// The number of bytes and UTF-16 units of each scalar of a text. Each maximal ill-formed subpart counts as one U+FFFD,
/// as ICU decodes it.
private struct ScalarLengths {
    private var parser = UTF8.ForwardParser()
    private var bytes: UnsafeBufferPointer<UInt8>.Iterator

    init(_ text: UnsafeBufferPointer<UInt8>) { bytes = text.makeIterator() }

    mutating func next() -> (bytes: Int, utf16: Int)? {
        switch parser.parseScalar(from: &bytes) {
        case .valid(let encoded): (encoded.count, encoded.count == 4 ? 2 : 1)
        case .error(let length): (length, 1)
        case .emptyInput: nil
        }
    }
}
