import Tokenization

/// A text as a model reads it: consecutive parts of a corpus as ids, and the positions where the state is reset.
///
/// The text is not copied: ids are looked up on reading, so that tokens in a file stay in the file.
package struct EncodedText: Sendable {
    private let corpus: Corpus
    private var pieces = TextPieces()
    /// Indexed by the corpus's symbol index: the symbol's id, and the nats its spelling adds to -ln p(unknown).
    private let ids: [Int32]
    private let costs: [Double]
    /// The positions where files begin, in increasing order; the first is 0 unless the text is empty.
    package private(set) var beginnings: [Int] = []
    private var restartsAfterRecords: Bool
    /// Indexed by the corpus's symbol index: whether the state is reset after the symbol; empty if it never is.
    private var restartsAfter: [Bool] = []
    package let boundary: Int32
    package let unknown: Int32
    /// The cost of spelling the unknown symbols of the text, in nats.
    package let spellingNats: Double
    /// The number of unknown symbols.
    package let unknownCount: Int

    /// A whole corpus; the state is reset at each file (or record).
    package init(_ corpus: Corpus, vocabulary: Vocabulary) {
        self.init(corpus.files.map(\.tokens).filter { !$0.isEmpty }, of: corpus, vocabulary: vocabulary)
    }

    /// The tokens of parts of a corpus, with a state reset at each part. A record's end is the boundary.
    package init(_ parts: [Range<Int>], of corpus: Corpus, vocabulary: Vocabulary) {
        self.corpus = corpus
        boundary = Int32(vocabulary.boundary)
        unknown = Int32(vocabulary.unknown)
        ids = corpus.symbols.map { Int32(vocabulary.id(of: $0)) }
        costs = corpus.symbols.map { vocabulary.spellingCost(of: $0) }
        restartsAfterRecords = corpus.records != nil
        for part in parts {
            beginnings.append(pieces.count)
            pieces.append(part)
        }
        var (nats, unknowns) = (0.0, 0)
        if ids.contains(unknown) {
            for (symbol, count) in corpus.occurrences(in: parts).enumerated() where ids[symbol] == unknown {
                nats += Double(count) * costs[symbol]
                unknowns += count
            }
        }
        (spellingNats, unknownCount) = (nats, unknowns)
    }

    package var count: Int { pieces.count }

    /// Resets the state only at the beginning of the text.
    package mutating func restartNowhere() {
        beginnings = [0]
        restartsAfterRecords = false
    }

    /// Also resets the state after line feeds.
    package mutating func restartAtLines() { restartsAfter = corpus.symbols.map { $0.bytes.last == 0x0A } }

    /// Whether any of its corpus's symbols ends a line.
    package var hasLines: Bool { corpus.symbols.contains { $0.bytes.last == 0x0A } }

    /// Whether it consists of records.
    package var hasRecords: Bool { restartsAfterRecords }

    /// Whether the state may be reset within the text.
    package var restarts: Bool { beginnings.count > 1 || restartsAfterRecords || !restartsAfter.isEmpty }

    // MARK: Reading

    /// Copies the corpus's symbol indices in a range.
    package func read(_ range: Range<Int>, into symbols: UnsafeMutablePointer<Int32>) {
        var next = symbols
        pieces.forEach(in: range) { part in
            corpus.copy(part, into: next)
            next += part.count
        }
    }

    /// The id of a symbol, given its index in the corpus.
    @inline(__always)
    package func id(ofSymbol symbol: Int32) -> Int32 { symbol == Self.end ? boundary : ids[Int(symbol)] }

    /// The cost of spelling a symbol, in addition to its id.
    package func spelling(ofSymbol symbol: Int32) -> Double {
        symbol != Self.end && ids[Int(symbol)] == unknown ? costs[Int(symbol)] : 0
    }

    /// Whether the state is always reset after this symbol.
    @inline(__always)
    package func restarts(afterSymbol symbol: Int32) -> Bool {
        symbol == Self.end ? restartsAfterRecords : !restartsAfter.isEmpty && restartsAfter[Int(symbol)]
    }

    /// Whether a line ends with a symbol.
    package func endsLine(_ symbol: Int32) -> Bool {
        symbol != Self.end && corpus.symbols[Int(symbol)].bytes.last == 0x0A
    }

    /// The symbol at a position, as its index in the corpus; nil outside the text.
    func symbol(at position: Int) -> Int32? {
        guard position >= 0 && position < count else { return nil }
        var symbol: Int32 = 0
        read(position..<position + 1, into: &symbol)
        return symbol
    }

    /// Whether the state is always reset before the symbol at a position.
    func isFresh(_ position: Int) -> Bool {
        let next = beginnings.partitioningIndex { $0 >= position }
        if next < beginnings.count && beginnings[next] == position { return true }
        return position < count && symbol(at: position - 1).map { restarts(afterSymbol: $0) } ?? false
    }

    /// Calls `body` with each position and the symbol's index in the corpus, in order.
    package func forEachSymbol(in range: Range<Int>, _ body: (_ position: Int, _ symbol: Int32) -> Void) {
        var position = range.lowerBound
        pieces.forEach(in: range) { part in
            corpus.forEachToken(in: part) { _, symbol in
                body(position, Int32(symbol))
                position += 1
            }
        }
    }

    /// Calls `body` with each position, the symbol's index in the corpus, and whether the state is reset before it.
    ///
    /// - Parameter limit: stops before this position.
    package func forEachTarget(
        upTo limit: Int = .max, _ body: (_ position: Int, _ symbol: Int32, _ isFresh: Bool) -> Void
    ) {
        forEachTarget(in: 0..<min(count, limit), body)
    }

    /// The same for a range.
    package func forEachTarget(
        in range: Range<Int>, _ body: (_ position: Int, _ symbol: Int32, _ isFresh: Bool) -> Void
    ) {
        var next = beginnings[beginnings.partitioningIndex { $0 >= range.lowerBound }...]
        var before: Int32?
        if range.lowerBound > 0 {
            forEachSymbol(in: range.lowerBound - 1..<range.lowerBound) { _, symbol in before = symbol }
        }
        forEachSymbol(in: range) { position, symbol in
            let isBeginning = next.first == position
            if isBeginning { next.removeFirst() }
            body(position, symbol, isBeginning || before.map { restarts(afterSymbol: $0) } ?? false)
            before = symbol
        }
    }

    private static let end = Int32(Corpus.endOfRecord)

    /// The text without some ranges, which are in order; what is before and behind a range is joined.
    package func without(_ ranges: [Range<Int>]) -> EncodedText {
        var result = self
        result.pieces = TextPieces()
        result.beginnings = []
        var (next, start) = (beginnings[...], 0)
        for range in ranges + [count..<count] {
            while let beginning = next.first, beginning < range.upperBound || range.isEmpty {
                let place = result.pieces.count + max(0, min(beginning, range.lowerBound) - start)
                if result.beginnings.last != place { result.beginnings.append(place) }
                next.removeFirst()
            }
            pieces.forEach(in: start..<range.lowerBound) { result.pieces.append($0) }
            start = range.upperBound
        }
        return result
    }

    // MARK: The order of records

    /// The records of the text, or groups of neighbouring records if there are very many.
    package func groups(atMost limit: Int = 1 << 18) -> [Range<Int>] {
        var records = 0
        forEachSymbol(in: 0..<count) { _, symbol in if symbol == Self.end { records += 1 } }
        let each = max(1, (records + limit - 1) / limit)
        var groups: [Range<Int>] = []
        var (start, held) = (0, 0)
        forEachSymbol(in: 0..<count) { position, symbol in
            guard symbol == Self.end else { return }
            held += 1
            guard held == each else { return }
            groups.append(start..<position + 1)
            (start, held) = (position + 1, 0)
        }
        if start < count { groups.append(start..<count) }
        return groups
    }

    /// The same groups in random order (Fisher & Yates 1938).
    package func shuffled(_ groups: [Range<Int>], using generator: inout some RandomNumberGenerator) -> EncodedText {
        var result = self
        result.pieces = TextPieces()
        // The end of the previous record already resets the state.
        result.beginnings = [0]
        for group in groups.shuffled(using: &generator) { pieces.forEach(in: group) { result.pieces.append($0) } }
        return result
    }
}

/// Parts of a corpus as one text, with a mapping from text positions to corpus positions.
private struct TextPieces: Sendable {
    private var starts: [Int] = []
    private var parts: [Range<Int>] = []
    private(set) var count = 0

    mutating func append(_ part: Range<Int>) {
        if let last = parts.last, last.upperBound == part.lowerBound {
            parts[parts.count - 1] = last.lowerBound..<part.upperBound
        } else {
            starts.append(count)
            parts.append(part)
        }
        count += part.count
    }

    /// Calls `body` with the parts of the corpus that a range covers.
    func forEach(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var position = range.lowerBound
        var index = starts.partitioningIndex { $0 > position } - 1
        while position < range.upperBound {
            let first = parts[index].lowerBound + position - starts[index]
            let part = first..<min(parts[index].upperBound, first + range.upperBound - position)
            body(part)
            position += part.count
            index += 1
        }
    }
}

extension RandomAccessCollection {
    /// The first index whose element satisfies `belongs`; all that do must be at the end.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Index {
        var (low, count) = (startIndex, self.count)
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if belongs(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
