import Tokenization

/// The records of a text, to find out whether another text is one of them.
public struct KnownRecords: Sendable {
    private let corpus: Corpus
    /// By hash, the tokens of a record; where two have one hash, the second stands apart.
    private var records: [UInt64: Range<Int>] = [:]
    private var others: [Range<Int>] = []

    /// - Parameter corpus: a text that was read with a record separator; another one has no records.
    public init(of corpus: Corpus) {
        self.corpus = corpus
        var records: [UInt64: Range<Int>] = [:]
        var others: [Range<Int>] = []
        corpus.forEachRecord { range, hash in
            if let known = records[hash] {
                // Equal ones as a rule.
                if corpus.bytes(in: known) != corpus.bytes(in: range) { others.append(range) }
            } else {
                records[hash] = range
            }
        }
        (self.records, self.others) = (records, others)
    }

    /// Whether a text, in the corpus's normal form, is one of the records, whole.
    public func contains(_ text: [UInt8]) -> Bool {
        var hash = RecordHash()
        hash.append(text)
        let known = records[hash.value].map { [$0] } ?? []
        return (known + others).contains { corpus.bytes(in: $0) == text }
    }
}
