import Tokenization

/// N-grams that can be looked up: their places by length, and what follows each.
protocol NGramTable {
    /// The length of the longest n-grams.
    var order: Int { get }
    /// [order, 3]: what is taken from counts of 1, of 2, and of 3 or more, by length from 1.
    var discounts: [Float] { get }
    var vocabulary: NGramCounts.VocabularyShape { get }

    /// The child of an n-gram with a given last symbol.
    func child(of index: Int, length: Int, symbol: Int32) -> Int?
    /// Calls `body` with the last symbol of each child and its count.
    func forEachChild(of index: Int, length: Int, _ body: (_ symbol: Int, _ count: Int32) -> Void)
}

/// Kneser-Ney n-grams in the form that a checkpoint stores: what it takes to predict with the longest ones.
///
/// Level k holds the n-grams of k symbols in lexicographic order. An n-gram and its count are one word: occurrences for the
/// longest n-grams, continuations for the others. Counts too large for a word are cut off.
package struct NGramCounts: NGramTable, Sendable, Equatable {
    /// The n-grams of one length.
    struct Level: Sendable, Equatable {
        /// The last symbol in the low bits, the count above it.
        var words: [Int32] = []
        /// The index of the first child in the next level, and, as one more element, the size of that level. Empty for
        /// the longest n-grams.
        var children: [Int32] = []
    }

    /// By length, from 0. Level 0 is the empty n-gram.
    let levels: [Level]
    /// [order, 3]: what is taken from counts of 1, of 2, and of 3 or more, by length from 1.
    let discounts: [Float]
    let vocabulary: VocabularyShape

    /// What n-grams need to know of a vocabulary.
    struct VocabularyShape: Sendable, Equatable {
        /// V.
        let size: Int
        /// The symbol that cannot come: the boundary, of texts without records.
        let excluded: Int?

        init(_ vocabulary: Vocabulary) {
            size = vocabulary.count
            excluded = vocabulary.records == nil ? vocabulary.boundary : nil
        }

        /// The number of symbols that can be predicted.
        var predictable: Int { excluded == nil ? size : size - 1 }
        /// The symbol that stands for what was dropped.
        var rest: Int { size }
        /// The low bits of a word.
        var bits: Int { Int.bitWidth - size.leadingZeroBitCount }
    }

    /// The length of the longest n-grams.
    package var order: Int { levels.count - 1 }

    /// The size in a checkpoint, in bytes.
    package var bytes: Int {
        4 * levels.dropFirst().reduce(levels[0].children.count) { $0 + $1.words.count + $1.children.count }
    }

    /// Nothing is smaller than this, so that something is always left for shorter contexts.
    static let smallestDiscount: Float = 0.001

    /// - Parameter limit: the size to keep to, in bytes; the rarest n-grams are dropped.
    init(_ counts: KneserNey, _ vocabulary: Vocabulary, bytes limit: Int) {
        let shape = VocabularyShape(vocabulary)
        let trie = counts.trie.pruned(toStoredBytes: limit)
        let order = trie.order
        let most = UInt32(1) << (31 - shape.bits) - 1
        levels = trie.levels.enumerated().map { length, level in
            let numbers = length == order ? level.occurrences : level.continuations
            return Level(
                words: zip(level.symbols, numbers).map { $0 < 0 ? 0 : $0 | Int32(min($1, most)) << shape.bits },
                children: level.children.map { Int32($0) })
        }
        discounts = (1...order).flatMap { length in
            let discounts = length == order ? counts.occurrences[length - 1] : counts.continuations[length - 1]
            return discounts.values.map { max(Self.smallestDiscount, Float($0)) }
        }
        self.vocabulary = shape
    }

    init(levels: [Level], discounts: [Float], vocabulary: VocabularyShape) {
        (self.levels, self.discounts, self.vocabulary) = (levels, discounts, vocabulary)
    }

    @inline(__always)
    func forEachChild(of index: Int, length: Int, _ body: (_ symbol: Int, _ count: Int32) -> Void) {
        let (bits, mask) = (vocabulary.bits, Int32(1) << vocabulary.bits - 1)
        let range = Int(levels[length].children[index])..<Int(levels[length].children[index + 1])
        levels[length + 1].words.withUnsafeBufferPointer { words in
            for at in range { body(Int(words[at] & mask), words[at] >> bits) }
        }
    }

    func child(of index: Int, length: Int, symbol: Int32) -> Int? {
        let (bits, children) = (vocabulary.bits, levels[length].children)
        return levels[length + 1].words.withUnsafeBufferPointer { words in
            let mask = Int32(1) << bits - 1
            var (low, high) = (Int(children[index]), Int(children[index + 1]))
            let end = high
            while low < high {
                let middle = (low + high) / 2
                if words[middle] & mask < symbol { low = middle + 1 } else { high = middle }
            }
            return low < end && words[low] & mask == symbol ? low : nil
        }
    }
}
