/// Receives the symbols of a text from a ``Tokenizer``.
protocol SymbolSink {
    /// A symbol, and whether a character of the text starts with it.
    mutating func append(_ symbol: UnsafeBufferPointer<UInt8>, startsCharacter: Bool)
    /// Well-formed UTF-8 in which every scalar is a symbol and a character.
    mutating func append(scalars: UnsafeBufferPointer<UInt8>)
    /// Well-formed UTF-8 in which every byte is a symbol and every scalar a character.
    mutating func append(bytes: UnsafeBufferPointer<UInt8>)
}

extension SymbolSink {
    mutating func append(scalars: UnsafeBufferPointer<UInt8>) {
        var index = 0
        while index < scalars.count {
            let length = scalars.scalar(at: index).length
            append(UnsafeBufferPointer(rebasing: scalars[index..<index + length]), startsCharacter: true)
            index += length
        }
    }
}

extension SymbolSink {
    mutating func append(bytes: UnsafeBufferPointer<UInt8>) {
        for index in bytes.indices {
            append(
                UnsafeBufferPointer(rebasing: bytes[index..<index + 1]), startsCharacter: bytes[index] & 0xC0 != 0x80)
        }
    }
}

/// Ignores symbols, for counting only.
struct CountingSink: SymbolSink {
    mutating func append(_ symbol: UnsafeBufferPointer<UInt8>, startsCharacter: Bool) {}
}

/// Gives symbols ids in the order of their first occurrence.
struct TokenSink: SymbolSink {
    private(set) var table = SymbolTable()
    /// Bit 31: a character of the text starts here. The rest: the index of the symbol.
    let tokens: TokenBuffer

    init(_ tokens: TokenBuffer) { self.tokens = tokens }

    mutating func append(_ symbol: UnsafeBufferPointer<UInt8>, startsCharacter: Bool) {
        tokens.append(UInt32(bitPattern: table.intern(symbol)) | (startsCharacter ? Self.start : 0))
    }

    mutating func append(scalars: UnsafeBufferPointer<UInt8>) {
        appendBlocks(of: scalars) { table, index in
            let (scalar, length) = scalars.scalar(at: index)
            let id = table.intern(scalar: scalar, scalars, index..<index + length)
            index += length
            return UInt32(bitPattern: id) | Self.start
        }
    }

    mutating func append(bytes: UnsafeBufferPointer<UInt8>) {
        appendBlocks(of: bytes) { table, index in
            let id = table.intern(UnsafeBufferPointer(rebasing: bytes[index..<index + 1]))
            index += 1
            return UInt32(bitPattern: id) | (bytes[index - 1] & 0xC0 != 0x80 ? Self.start : 0)
        }
    }

    /// Appends tokens a block at a time, so that space is reserved once per block: at most one token per byte.
    ///
    /// - Parameter next: returns the token at an index of the text, and advances the index.
    @inline(__always)
    private mutating func appendBlocks(
        of text: UnsafeBufferPointer<UInt8>, _ next: (inout SymbolTable, inout Int) -> UInt32
    ) {
        var index = 0
        while index < text.count {
            let end = min(index + 4_096, text.count)
            tokens.append(atMost: end - index) { block in
                var count = 0
                while index < end {
                    index += table.lookUpASCII(text, index..<end) { id in
                        block[count] = UInt32(bitPattern: id) | Self.start
                        count += 1
                    }
                    guard index < end else { break }
                    block[count] = next(&table, &index)
                    count += 1
                }
                return count
            }
        }
    }

    /// Ends a record that is followed by this many separator characters; returns how many of them the token encodes.
    mutating func endRecord(characters: Int) -> Int {
        let beyond = min(max(0, characters - 1), Corpus.endOfRecord - Corpus.lastSymbol - 1)
        tokens.append(UInt32(Corpus.endOfRecord - beyond) | (characters > 0 ? Self.start : 0))
        return min(characters, beyond + 1)
    }

    private static var start: UInt32 { 1 << 31 }
}
