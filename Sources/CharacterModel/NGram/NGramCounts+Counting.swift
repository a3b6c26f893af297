import Tokenization

extension NGramCounts {
    /// Symbols that are counted at once, so that the memory for a long text has a bound.
    static let portion = 4_000_000

    /// Counts the n-grams of a text.
    ///
    /// - Parameters:
    ///   - text: the training text.
    ///   - ranges: parts of it, in order, that are not counted.
    ///   - order: the length of the longest n-grams.
    ///   - limit: the size to keep to, in bytes; the rarest n-grams are dropped.
    ///   - seed: selects which symbols that occur once are counted as `unknown`, as in training.
    ///   - portion: how many symbols are counted at once. Of a longer text the rarest n-grams are dropped after each portion
    ///     (lossy counting: Manku & Motwani 2002).
    package init(
        _ text: EncodedText, without ranges: [Range<Int>] = [], vocabulary: Vocabulary,
        order: Int = KneserNey.maximumOrder, bytes limit: Int, seed: UInt64, portion: Int = NGramCounts.portion
    ) {
        let unknowns = UnknownRule(text: text, vocabularySize: vocabulary.count, seed: seed)
        let text = ranges.isEmpty ? text : text.without(ranges)
        func trie(_ range: Range<Int>) -> NGramTrie {
            NGramTrie(
                // A text without records begins once, and that says little about beginnings.
                NGramSequence(text, range, unknowns: unknowns, marksBeginnings: vocabulary.records != nil),
                order: order, vocabularySize: vocabulary.count)
        }
        var whole = trie(0..<min(portion, text.count))
        // The counts of counts are those of text that was not pruned.
        let first = KneserNey(whole, vocabulary)
        for start in stride(from: portion, to: text.count, by: portion) {
            let next = trie(start..<min(start + portion, text.count))
            whole = whole.pruned(toStoredBytes: 4 * limit).merged(with: next)
        }
        let counts = KneserNey(whole, vocabulary, like: first)
        self.init(counts, vocabulary, bytes: limit)
    }
}
