import RealModule
import Tokenization

/// Character n-grams of every length up to a limit, with interpolated modified Kneser-Ney smoothing (Chen & Goodman
/// 1999).
///
/// The longest n-grams use occurrence counts, shorter ones the number of distinct symbols they follow. N-grams at the
/// beginning of a text follow nothing and use occurrence counts too (as in KenLM: Heafield et al. 2013). Single symbols
/// are interpolated with the uniform distribution over all that can be predicted. Texts, unknown symbols and records
/// are handled as for the network.
package struct KneserNey: Sendable {
    /// The maximum length of n-grams.
    package static let maximumOrder = 8

    /// The discounts for counts of 1, of 2, and of 3 or more.
    struct Discounts: Sendable, Equatable {
        var values: [Double]

        /// The discounts for the given numbers of counts that are 1, 2, 3 and 4; 0.5, 1 and 1.5 if there are too few to
        /// estimate them.
        init(countsOfCounts n: [Int]) {
            let y = Double(n[1]) / Double(n[1] + 2 * n[2])
            values = (1...3).map { (count: Int) -> Double in
                let more = Double(count + 1) * y * Double(n[count + 1])
                return Double(count) - more / Double(n[count])
            }
            let areSound = (1...3).allSatisfy { n[$0] > 0 && values[$0 - 1] >= 0 && values[$0 - 1] <= Double($0) }
            if !areSound || n[4] == 0 { values = [0.5, 1, 1.5] }
        }

        /// The discounts for counts of a level of n-grams.
        init(_ counts: [UInt32]) {
            var countsOfCounts = [Int](repeating: 0, count: 5)
            for count in counts where (1...4).contains(count) { countsOfCounts[Int(count)] += 1 }
            self.init(countsOfCounts: countsOfCounts)
        }

        func value(of count: UInt32) -> Double { count == 0 ? 0 : values[min(Int(count), 3) - 1] }
    }

    let trie: NGramTrie
    /// For each length from 1: by occurrences and by continuations.
    let occurrences: [Discounts]
    let continuations: [Discounts]
    /// The number of symbols that can be predicted.
    let predictable: Int

    package var order: Int { trie.order }

    /// - Parameters:
    ///   - text: the training text.
    ///   - vocabulary: the vocabulary whose symbols are predicted.
    ///   - seed: the seed that selects which symbols that occur once are replaced by `unknown`.
    package init(
        _ text: EncodedText, vocabulary: Vocabulary, order: Int = KneserNey.maximumOrder, seed: UInt64 = 1
    ) {
        precondition(order >= 1, "n-grams of \(order) symbols")
        let unknowns = UnknownRule(text: text, vocabularySize: vocabulary.count, seed: seed)
        self.init(
            NGramTrie(
                NGramSequence(text, unknowns: unknowns), order: order, vocabularySize: vocabulary.count), vocabulary)
    }

    init(_ trie: NGramTrie, _ vocabulary: Vocabulary) {
        self.trie = trie
        predictable = vocabulary.symbols.count + 1 + (vocabulary.records == nil ? 0 : 1)
        occurrences = trie.levels.dropFirst().map { Discounts($0.occurrences) }
        continuations = trie.levels.dropFirst().map { Discounts($0.continuations) }
    }

    /// - Parameter other: gives the discounts.
    init(_ trie: NGramTrie, _ vocabulary: Vocabulary, like other: KneserNey) {
        self.trie = trie
        predictable = other.predictable
        (occurrences, continuations) = (other.occurrences, other.continuations)
    }

    /// The nats of a text under n-grams of each length from 1, including the spelling of unknown symbols.
    package func nats(of text: EncodedText) -> [Double] {
        var totals = [Double](repeating: text.spellingNats, count: order)
        forEach(of: text) { _, _, probabilities in
            for length in 0..<order { totals[length] -= .log(probabilities[length]) }
        }
        return totals
    }

    /// Calls `body` with each symbol of a text in order: its position, its index in the corpus, and its probability under n-grams
    /// of each length from 1, without the spelling of an unknown symbol.
    func forEach(
        of text: EncodedText, _ body: (_ position: Int, _ symbol: Int32, _ probabilities: [Double]) -> Void
    ) {
        // The n-grams that end at the last symbol, from the empty one on.
        var path = [0]
        var probabilities = [Double](repeating: 0, count: order)
        text.forEachTarget { position, symbol, isFresh in
            if isFresh { path = [0] + [trie.child(of: 0, length: 0, symbol: text.boundary)].compactMap(\.self) }
            path = predict(text.id(ofSymbol: symbol), after: path, into: &probabilities)
            body(position, symbol, probabilities)
        }
    }

    /// Sets the probabilities of a symbol under n-grams of each length, and returns the n-grams that end with it.
    private func predict(_ id: Int32, after path: [Int], into probabilities: inout [Double]) -> [Int] {
        var next = [0]
        next.reserveCapacity(order + 1)
        var shorter = 1 / Double(predictable)
        for length in 1...order {
            guard length <= path.count else {
                probabilities[length - 1] = shorter
                continue
            }
            let context = path[length - 1]
            let index = trie.child(of: context, length: length - 1, symbol: id)
            if let index, next.count == length { next.append(index) }
            let (level, children) = (trie.levels[length], trie.children(of: context, length: length - 1))
            func probability(_ counts: [UInt32], _ discounts: Discounts) -> Double {
                let (total, left) = discounts.mass(of: counts, in: children)
                guard total > 0 else { return shorter }
                let count = index.map { counts[$0] } ?? 0
                return (Double(count) - discounts.value(of: count)) / total + left / total * shorter
            }
            probabilities[length - 1] = probability(level.occurrences, occurrences[length - 1])
            shorter = probability(level.continuations, continuations[length - 1])
        }
        return next
    }
}

extension KneserNey.Discounts {
    /// The sum of some counts, and what is taken from them for shorter contexts.
    func mass(of counts: [UInt32], in range: Range<Int>) -> (total: Double, left: Double) {
        var (total, kinds) = (0, (0, 0, 0))
        for index in range {
            let count = counts[index]
            total += Int(count)
            switch count {
            case 0: break
            case 1: kinds.0 += 1
            case 2: kinds.1 += 1
            default: kinds.2 += 1
            }
        }
        let left = values[0] * Double(kinds.0) + values[1] * Double(kinds.1) + values[2] * Double(kinds.2)
        return (Double(total), left)
    }
}
