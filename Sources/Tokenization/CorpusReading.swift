/// Reads the files of a corpus into tokens, one after the other.
struct CorpusReading {
    private let tokenizer: Tokenizer
    private let records: RecordSeparator?
    private let tokens: TokenBuffer
    private let digest = SHA256()
    private var sink: TokenSink
    private var read = Corpus.Contents()
    private var bytesBefore = 0
    // The file being read.
    private var file = Corpus.File(name: "", tokens: 0..<0, counts: TextCounts())
    private var surplus: [(token: Int, characters: Int)] = []
    private var inWord = false

    init(_ tokenizer: Tokenizer, records: RecordSeparator?, into tokens: TokenBuffer) {
        self.tokenizer = tokenizer
        self.records = records
        self.tokens = tokens
        sink = TokenSink(tokens)
    }

    /// What has been read. Finalizes the digest.
    var contents: Corpus.Contents {
        var contents = read
        contents.symbols = sink.table.symbols
        contents.sha256 = digest.finalize()
        return contents
    }

    mutating func read(
        _ source: TextSource, with reader: TextReader, progress: (Int) -> Void
    ) throws(TextError) {
        file = Corpus.File(name: source.name, tokens: tokens.count..<tokens.count, counts: TextCounts())
        (surplus, inWord) = ([], false)
        var splitter = records.flatMap { $0 == .file ? nil : RecordSplitter($0, path: source.name) }
        file.reading = try reader.forEachPiece(of: source, raw: digest.update) { bytes, offset throws(TextError) in
            progress(bytesBefore + offset)
            try tokens.check()
            if splitter != nil {
                try split(bytes, at: offset, isLast: false, by: &splitter!)
            } else {
                try take(bytes, offset)
            }
        }
        if splitter != nil {
            try split(UnsafeBufferPointer(start: nil, count: 0), at: 0, isLast: true, by: &splitter!)
        }
        if records == .file && tokens.count > file.tokens.lowerBound { try end([], 0, isEmpty: false) }
        close()
    }

    /// Adds the tokens of a part of the text, which must not end within a cluster or a normalization segment.
    private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) throws(TextError) {
        let piece = try tokenizer.tokenize(bytes, path: file.name, offset: offset, inWord: &inWord, into: &sink)
        file.counts += piece.counts
        if piece.surplusCharacters != 0 { surplus.append((tokens.count, piece.surplusCharacters)) }
    }

    /// Ends a record, unless it is empty. The separator only affects the counts.
    private mutating func end(_ separator: ArraySlice<UInt8>, _ offset: Int, isEmpty: Bool) throws(TextError) {
        var ignored = CountingSink()
        let counts = try separator.withUnsafeBufferPointer { bytes throws(TextError) in
            try tokenizer.tokenize(bytes, path: file.name, offset: offset, inWord: &inWord, into: &ignored).counts
        }
        file.counts += counts
        let told = isEmpty ? 0 : sink.endRecord(characters: counts.characters)
        if counts.characters > told { surplus.append((tokens.count, counts.characters - told)) }
    }

    private mutating func split(
        _ piece: UnsafeBufferPointer<UInt8>, at offset: Int, isLast: Bool, by splitter: inout RecordSplitter
    ) throws(TextError) {
        try splitter.append(piece, at: offset, isLast: isLast) { record, offset, separator throws(TextError) in
            try record.withUnsafeBufferPointer { bytes throws(TextError) in try take(bytes, offset) }
            try end(separator, offset + record.count, isEmpty: record.isEmpty)
        }
    }

    /// Adds the finished file to the others.
    private mutating func close() {
        // Add what was dropped in converting line ends.
        file.counts.bytes += file.reading.dropped
        file.counts.scalars += file.reading.dropped
        file.tokens = file.tokens.lowerBound..<tokens.count
        read.files.append(file)
        bytesBefore += file.counts.bytes
        // A surplus noted after the last token is assigned to it.
        guard !file.tokens.isEmpty else { return }
        read.surplus += surplus.map { (min($0.token, file.tokens.upperBound - 1), $0.characters) }
    }
}
