import Tokenization

/// The records of a text, for checking whether another text is one of them.
public struct KnownRecords: Sendable {
    private let corpus: Corpus
    /// The tokens of each record, by hash. If two records have the same hash, the second one is stored separately.
    private var records: [UInt64: Range<Int>] = [:]
    private var others: [Range<Int>] = []

    /// - Parameter corpus: a text that was read with a record separator; without one there are no records.
    public init(of corpus: Corpus) {
        self.corpus = corpus
        var records: [UInt64: Range<Int>] = [:]
        var others: [Range<Int>] = []
        corpus.forEachRecord { range, hash in
            if let known = records[hash] {
                // Usually a duplicate record, not a collision.
                if corpus.bytes(in: known) != corpus.bytes(in: range) { others.append(range) }
            } else {
                records[hash] = range
            }
        }
        (self.records, self.others) = (records, others)
    }

    /// Whether a text, brought to the corpus's normal form, is one of the records.
    ///
    /// - Throws: `TextError` if the text cannot be split into symbols.
    public func contains(_ text: String) throws(TextError) -> Bool {
        let tokenizer = try Tokenizer(unit: corpus.unit, normalization: corpus.normalization)
        return contains(try tokenizer.symbols(of: Array(text.utf8)).flatMap(\.bytes))
    }

    /// Whether a text, in the corpus's normal form, is identical to one of the records.
    public func contains(_ text: [UInt8]) -> Bool {
        var hash = RecordHash()
        hash.append(text)
        let known = records[hash.value].map { [$0] } ?? []
        return (known + others).contains { corpus.bytes(in: $0) == text }
    }
}
