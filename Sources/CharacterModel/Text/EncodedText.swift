import Tokenization

/// A text as a model reads it: parts of a corpus, one after the other, as ids; and where the model starts afresh.
///
/// Nothing of the text is copied: ids are looked up as they are read, so that a text in a file of tokens stays there.
package struct EncodedText: Sendable {
    private let corpus: Corpus
    private var pieces = TextPieces()
    /// By the corpus's index of a symbol: its id, and the nats that spelling it adds to -ln p(unknown).
    private let ids: [Int32]
    private let costs: [Double]
    /// Positions at which files begin, in increasing order; the first is 0 unless there is no text.
    package private(set) var beginnings: [Int] = []
    private var restartsAfterRecords: Bool
    /// By the corpus's index: whether the state is fresh after the symbol; empty where it never is.
    private var restartsAfter: [Bool] = []
    package let boundary: Int32
    package let unknown: Int32
    /// What spelling the unknown symbols of the text costs, in nats.
    package let spellingNats: Double
    /// How many symbols are unknown.
    package let unknownCount: Int

    /// A whole corpus; each file (or record) starts afresh.
    package init(_ corpus: Corpus, vocabulary: Vocabulary) {
        self.init(corpus.files.map(\.tokens).filter { !$0.isEmpty }, of: corpus, vocabulary: vocabulary)
    }

    /// The tokens of parts of a corpus, each of which starts afresh. A record's end is the boundary.
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

    /// Starts afresh at the text's beginning only.
    package mutating func restartNowhere() {
        beginnings = [0]
        restartsAfterRecords = false
    }

    /// Starts afresh behind line feeds too.
    package mutating func restartAtLines() { restartsAfter = corpus.symbols.map { $0.bytes.last == 0x0A } }

    /// Whether any of its corpus's symbols ends a line.
    package var hasLines: Bool { corpus.symbols.contains { $0.bytes.last == 0x0A } }

    /// Whether a lane may start afresh within the text.
    package var restarts: Bool { beginnings.count > 1 || restartsAfterRecords || !restartsAfter.isEmpty }

    // MARK: Reading

    /// Copies the corpus's indices of the symbols in a range.
    package func read(_ range: Range<Int>, into symbols: UnsafeMutablePointer<Int32>) {
        var next = symbols
        pieces.forEach(in: range) { part in
            corpus.copy(part, into: next)
            next += part.count
        }
    }

    /// The id of a symbol, given the corpus's index.
    @inline(__always)
    package func id(ofSymbol symbol: Int32) -> Int32 { symbol == Self.end ? boundary : ids[Int(symbol)] }

    /// What spelling a symbol costs beside its id.
    package func spelling(ofSymbol symbol: Int32) -> Double {
        symbol != Self.end && ids[Int(symbol)] == unknown ? costs[Int(symbol)] : 0
    }

    /// Whether the state is fresh behind a symbol, wherever it stands.
    @inline(__always)
    package func restarts(afterSymbol symbol: Int32) -> Bool {
        symbol == Self.end ? restartsAfterRecords : !restartsAfter.isEmpty && restartsAfter[Int(symbol)]
    }

    /// Whether a line ends with a symbol.
    package func endsLine(_ symbol: Int32) -> Bool {
        symbol != Self.end && corpus.symbols[Int(symbol)].bytes.last == 0x0A
    }

    /// Calls `body` with each position and the corpus's index of the symbol there, in order.
    package func forEachSymbol(in range: Range<Int>, _ body: (_ position: Int, _ symbol: Int32) -> Void) {
        var position = range.lowerBound
        pieces.forEach(in: range) { part in
            corpus.forEachToken(in: part) { _, symbol in
                body(position, Int32(symbol))
                position += 1
            }
        }
    }

    /// Calls `body` with each position, the corpus's index of the symbol there, and whether the state is fresh before it.
    package func forEachTarget(_ body: (_ position: Int, _ symbol: Int32, _ isFresh: Bool) -> Void) {
        var next = beginnings[...]
        var before: Int32?
        forEachSymbol(in: 0..<count) { position, symbol in
            let isBeginning = next.first == position
            if isBeginning { next.removeFirst() }
            body(position, symbol, isBeginning || before.map { restarts(afterSymbol: $0) } ?? false)
            before = symbol
        }
    }

    private static let end = Int32(Corpus.endOfRecord)

    // MARK: The order of records

    /// The text's records, or where there are very many, groups of neighbours.
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

    /// The same groups in an order that a generator draws (Fisher & Yates 1938).
    package func shuffled(_ groups: [Range<Int>], using generator: inout some RandomNumberGenerator) -> EncodedText {
        var result = self
        result.pieces = TextPieces()
        // Each record starts afresh by the end of the one before.
        result.beginnings = [0]
        for group in groups.shuffled(using: &generator) { pieces.forEach(in: group) { result.pieces.append($0) } }
        return result
    }
}

/// Parts of a corpus as one text: for each position, where it stands in the corpus.
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
    /// The first index whose element satisfies `belongs`, where all that do stand at the end.
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
