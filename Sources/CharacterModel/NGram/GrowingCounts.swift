/// Counts that grow with a text that is scored, each symbol after it was predicted.
struct GrowingCounts: NGramTable {
    private let base: NGramCounts
    /// By length: the words of the known n-grams, then those of new ones.
    private var words: [[Int32]]
    /// By length: the places of the new children of an n-gram.
    private var added: [[Int: [Int]]]

    var order: Int { base.order }
    var discounts: [Float] { base.discounts }
    var vocabulary: NGramCounts.VocabularyShape { base.vocabulary }

    init(_ base: NGramCounts) {
        self.base = base
        words = base.levels.map(\.words)
        added = [[Int: [Int]]](repeating: [:], count: base.levels.count)
    }

    private func count(_ word: Int32) -> Int32 { word >> vocabulary.bits }
    private func symbol(_ word: Int32) -> Int32 { word & (1 << vocabulary.bits - 1) }

    private func isNew(_ index: Int, length: Int) -> Bool { index >= base.levels[length].words.count }

    func child(of index: Int, length: Int, symbol: Int32) -> Int? {
        if !isNew(index, length: length), let known = base.child(of: index, length: length, symbol: symbol) {
            return known
        }
        return added[length][index]?.first { self.symbol(words[length + 1][$0]) == symbol }
    }

    func forEachChild(of index: Int, length: Int, _ body: (_ symbol: Int, _ count: Int32) -> Void) {
        func tell(_ place: Int) {
            let word = words[length + 1][place]
            body(Int(symbol(word)), count(word))
        }
        if !isNew(index, length: length) {
            let children = base.levels[length].children
            for place in children[index]..<children[index + 1] { tell(Int(place)) }
        }
        for place in added[length][index] ?? [] { tell(place) }
    }

    /// Counts a symbol at a place of a text that has been counted from its beginning.
    mutating func add(_ id: Int32, at cursor: NGramCursor) {
        var before = 0
        for length in 1...cursor.path.count {
            let parent = cursor.path[length - 1]
            let known = child(of: parent, length: length - 1, symbol: id)
            let place = known ?? words[length].count
            if known == nil {
                words[length].append(id)
                added[length - 1][parent, default: []].append(place)
                // The n-gram without its first symbol follows one more distinct symbol.
                if length > 1 { increment(before, length: length - 1) }
            }
            if length == order { increment(place, length: length) }
            before = place
        }
        // An n-gram at the beginning of a text has nothing before it.
        let length = cursor.age + 1
        if length > 1 && length < order && length == cursor.path.count { increment(before, length: length) }
    }

    private mutating func increment(_ place: Int, length: Int) {
        let (sum, overflows) = words[length][place].addingReportingOverflow(1 << vocabulary.bits)
        if !overflows { words[length][place] = sum }
    }
}
