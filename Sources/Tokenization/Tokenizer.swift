/// Cuts text into symbols: decoding, normalization, segmentation.
///
/// Text comes in pieces, cut where no cluster and no normal form reaches across (see ``TextReader``), so a text's symbols
/// do not depend on how it was cut. One tokenizer for each thread.
public final class Tokenizer {
    public let unit: TextUnit
    public let normalization: Normalization
    private let clusters: ClusterIterator

    /// What one piece held.
    struct Piece {
        var counts = TextCounts()
        /// How many more characters the original has than symbols were said to start one.
        var surplusCharacters = 0
    }

    /// - Throws: `TextError.unicode` if ICU's data cannot be loaded.
    /// - Requires: the byte unit has no normalization.
    public init(unit: TextUnit, normalization: Normalization) throws(TextError) {
        precondition(unit != .byte || normalization == .none, "bytes are taken as they are")
        self.unit = unit
        self.normalization = normalization
        clusters = try ClusterIterator()
    }

    /// Calls `emit` with each symbol of a piece and whether a character of the text starts with it.
    ///
    /// - Parameter inWord: whether a word goes on from the piece before, and then into the piece after.
    /// - Throws: `TextError.invalidUTF8`, with `path` and an offset counted from `offset`, unless the unit is the byte.
    func tokenize(
        _ piece: UnsafeBufferPointer<UInt8>, path: String, offset: Int, inWord: inout Bool,
        _ emit: (_ symbol: UnsafeBufferPointer<UInt8>, _ startsCharacter: Bool) -> Void
    ) throws(TextError) -> Piece {
        var result = Piece()
        result.counts.addAllButCharacters(of: piece, inWord: &inWord)
        if piece.allSatisfy({ $0 < 0x80 }) {
            tokenizeASCII(piece, &result, emit)
            return result
        }
        if unit != .byte, let invalid = firstInvalidByte(of: piece) {
            throw .invalidUTF8(path: path, offset: offset + invalid)
        }
        let original = try utf16(of: piece)
        if unit == .byte {
            try tokenizeBytes(piece, original, &result, emit)
            return result
        }
        let text = try normalization.apply(to: original)
        var started = 0
        try forEachSymbol(of: text) { symbol, starts in
            if starts { started += 1 }
            emit(symbol, starts)
        }
        result.counts.characters = started
        if text != original {
            result.counts.characters = 0
            try original.withUnsafeBufferPointer { units throws(TextError) in
                try clusters.forEachEnd(in: units) { _ in result.counts.characters += 1 }
            }
        }
        result.surplusCharacters = result.counts.characters - started
        return result
    }

    /// The symbols of a whole text.
    public func symbols(of text: [UInt8], path: String = "the text") throws(TextError) -> [Symbol] {
        var symbols: [Symbol] = []
        var inWord = false
        _ = try text.withUnsafeBufferPointer { bytes throws(TextError) in
            try tokenize(bytes, path: path, offset: 0, inWord: &inWord) { symbol, _ in
                symbols.append(Symbol(bytes: Array(symbol)))
            }
        }
        return symbols
    }

    /// In ASCII every byte is a symbol, but for CR LF, which is one cluster; only case folding changes it.
    private func tokenizeASCII(
        _ piece: UnsafeBufferPointer<UInt8>, _ result: inout Piece,
        _ emit: (UnsafeBufferPointer<UInt8>, Bool) -> Void
    ) {
        var index = 0
        while index < piece.count {
            let joins = piece[index] == 0x0D && index + 1 < piece.count && piece[index + 1] == 0x0A
            let length = joins && unit == .grapheme ? 2 : 1
            let starts = !(piece[index] == 0x0A && index > 0 && piece[index - 1] == 0x0D)
            if starts { result.counts.characters += 1 }
            if normalization == .nfkcCasefold, (0x41...0x5A).contains(piece[index]) {
                withUnsafeBytes(of: piece[index] + 0x20) { emit($0.assumingMemoryBound(to: UInt8.self), starts) }
            } else {
                emit(UnsafeBufferPointer(rebasing: piece[index..<index + length]), starts)
            }
            index += length
        }
    }

    /// Bytes as they are; a character starts where a cluster of the decoded text does.
    private func tokenizeBytes(
        _ piece: UnsafeBufferPointer<UInt8>, _ text: [UInt16], _ result: inout Piece,
        _ emit: (UnsafeBufferPointer<UInt8>, Bool) -> Void
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
        for index in piece.indices { emit(UnsafeBufferPointer(rebasing: piece[index..<index + 1]), starts[index]) }
    }

    private func forEachSymbol(
        of text: [UInt16], _ emit: (UnsafeBufferPointer<UInt8>, Bool) -> Void
    ) throws(TextError) {
        var from = 0
        var scratch: [UInt8] = []
        try text.withUnsafeBufferPointer { units throws(TextError) in
            try clusters.forEachEnd(in: units) { end in
                scratch.removeAll(keepingCapacity: true)
                if unit == .grapheme {
                    _ = transcode(
                        units[from..<end].makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: false
                    ) { scratch.append($0) }
                    scratch.withUnsafeBufferPointer { emit($0, true) }
                } else {
                    var starts = true
                    for scalar in String(decoding: units[from..<end], as: UTF16.self).unicodeScalars {
                        scratch.removeAll(keepingCapacity: true)
                        scratch.append(contentsOf: UTF8.encode(scalar)!)
                        scratch.withUnsafeBufferPointer { emit($0, starts) }
                        starts = false
                    }
                }
                from = end
            }
        }
    }
}

/// The offset of the first byte that begins no well-formed sequence, or nil.
func firstInvalidByte(of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    do {
        _ = try UTF8Span(validating: bytes.span)
        return nil
    } catch {
        return error.byteOffsets.lowerBound
    }
}

/// How many bytes, and how many UTF-16 units, each scalar of a text takes. An ill-formed part counts as U+FFFD, one for
/// each maximal subpart, as ICU decodes it.
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
