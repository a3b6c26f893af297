import Tokenization

/// The distinct n-grams of a text up to a length, with how often they occur.
///
/// Level k holds the n-grams of k symbols in lexicographic order; level 0 the empty one. The children of an n-gram are
/// those with one more symbol behind it.
package struct NGramTrie: Sendable {
    /// The n-grams of one length.
    struct Level: Sendable {
        /// The last symbol of each.
        var symbols: [Int32] = []
        var occurrences: [UInt32] = []
        /// How many distinct symbols precede it, or how often it occurs if it begins a text.
        var continuations: [UInt32] = []
        /// The index of the first child in the next level, and, as one more element, the size of that level. Empty for
        /// the longest n-grams.
        var children: [UInt32] = []

        var count: Int { symbols.count }
    }

    /// By length, from 0.
    var levels: [Level]
    /// The symbol that stands for all children of an n-gram that were dropped: the size of the vocabulary.
    let rest: Int32
    private let boundary: Int32

    var order: Int { levels.count - 1 }

    /// - Parameters:
    ///   - sequence: the text.
    ///   - order: the length of the longest n-grams.
    ///   - vocabularySize: V.
    init(_ sequence: NGramSequence, order: Int, vocabularySize: Int) {
        rest = Int32(vocabularySize)
        boundary = sequence.boundary
        levels = [Level](repeating: Level(), count: order + 1)
        levels[0].symbols = [-1]
        levels[0].occurrences = [0]
        add(sequence)
        for length in 0..<order { levels[length].children.append(UInt32(levels[length + 1].count)) }
        countContinuations()
    }

    /// An empty trie to merge others into.
    init(like other: NGramTrie) {
        (rest, boundary) = (other.rest, other.boundary)
        levels = [Level](repeating: Level(), count: other.levels.count)
    }

    /// Adds the n-grams of a text in order, so that each is a neighbour of the one before it.
    private mutating func add(_ sequence: NGramSequence) {
        let (order, ids) = (self.order, sequence.ids)
        let lengths = sequence.lengths(upTo: order)
        levels[0].children = [0]
        var before: Int?
        for position in sequence.sortedPositions(by: order, lengths: lengths).lazy.map({ Int($0) }) {
            let length = Int(lengths[position])
            // How long an n-gram both begin with.
            var shared = 0
            if let before {
                let limit = min(length, Int(lengths[before]))
                while shared < limit && ids[position + shared] == ids[before + shared] { shared += 1 }
            }
            for level in shared + 1..<length + 1 {
                levels[level].symbols.append(ids[position + level - 1])
                levels[level].occurrences.append(0)
                if level < order { levels[level].children.append(UInt32(levels[level + 1].count)) }
            }
            for level in 1...length { levels[level].occurrences[levels[level].count - 1] += 1 }
            // The boundary before a text is read, not predicted.
            if ids[position] == boundary && length > 1 { levels[1].occurrences[levels[1].count - 1] -= 1 }
            before = position
        }
    }

    // MARK: Reading

    /// The children of an n-gram, as indices into the next level.
    @inline(__always)
    func children(of index: Int, length: Int) -> Range<Int> {
        Int(levels[length].children[index])..<Int(levels[length].children[index + 1])
    }

    /// The child of an n-gram with a given last symbol.
    func child(of index: Int, length: Int, symbol: Int32) -> Int? {
        let children = children(of: index, length: length)
        return levels[length + 1].symbols.withUnsafeBufferPointer { $0.index(of: symbol, in: children) }
    }

    // MARK: Continuations

    /// Counts what precedes each n-gram: the n-grams one longer that end with it.
    mutating func countContinuations() {
        for length in levels.indices {
            levels[length].continuations = [UInt32](repeating: 0, count: levels[length].count)
        }
        // For each n-gram of a level, the place of the same without its first symbol.
        var shorter = [UInt32](repeating: 0, count: levels[1].count)
        for length in 1..<max(1, order) {
            let (parents, symbols, known) = (levels[length], levels[length + 1].symbols, levels[length].symbols)
            var counts = levels[length].continuations
            var next = [UInt32](repeating: 0, count: symbols.count)
            for index in 0..<parents.count {
                // Both lists are sorted, and what follows the longer n-gram follows the shorter one too.
                var place = Int(levels[length - 1].children[Int(shorter[index])])
                for child in Int(parents.children[index])..<Int(parents.children[index + 1]) {
                    guard symbols[child] != rest else { continue }
                    while known[place] < symbols[child] { place += 1 }
                    next[child] = UInt32(place)
                    counts[place] += 1
                }
            }
            levels[length].continuations = counts
            shorter = next
        }
        takeOccurrencesAtBeginnings()
    }

    /// Nothing precedes an n-gram at the beginning of a text, so its occurrences count (as in KenLM: Heafield et al. 2013).
    private mutating func takeOccurrencesAtBeginnings() {
        guard var range = child(of: 0, length: 0, symbol: boundary).map({ $0..<$0 + 1 }) else { return }
        for length in 2..<max(2, order + 1) where !range.isEmpty {
            range =
                Int(levels[length - 1].children[range.lowerBound])..<Int(levels[length - 1].children[range.upperBound])
            for index in range { levels[length].continuations[index] = levels[length].occurrences[index] }
        }
        for length in levels.indices {
            for index in levels[length].symbols.indices where levels[length].symbols[index] == rest {
                levels[length].continuations[index] = levels[length].occurrences[index]
            }
        }
    }
}

extension UnsafeBufferPointer<Int32> {
    /// The place of a symbol in a sorted range; nil if it is not there.
    @inline(__always)
    func index(of symbol: Int32, in range: Range<Int>) -> Int? {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < symbol { low = middle + 1 } else { high = middle }
        }
        return low < range.upperBound && self[low] == symbol ? low : nil
    }
}
