import RealModule
import Tokenization

/// Character n-grams of every length up to a limit, with interpolated modified Kneser-Ney smoothing (Chen & Goodman
/// 1999): a baseline to compare a network with.
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

        func value(of count: UInt32) -> Double { count == 0 ? 0 : values[min(Int(count), 3) - 1] }
    }

    /// What follows a context: the total count, and how many symbols occur once, twice, and more often.
    private struct Context {
        var total: UInt32 = 0
        var kinds: (one: UInt32, two: UInt32, more: UInt32) = (0, 0, 0)

        mutating func add(_ count: UInt32) {
            total += count
            switch count {
            case 0: break
            case 1: kinds.one += 1
            case 2: kinds.two += 1
            default: kinds.more += 1
            }
        }

        /// The probability mass left for shorter contexts.
        func left(_ discounts: Discounts) -> Double {
            (discounts.values[0] * Double(kinds.one) + discounts.values[1] * Double(kinds.two)
                + discounts.values[2] * Double(kinds.more)) / Double(total)
        }
    }

    /// The counts for one n-gram length: what follows each context, and the discounts.
    private struct Estimate: Sendable {
        var contexts: [Context]
        var discounts: Discounts

        /// The probability of a symbol with this count after a context, given its probability under shorter contexts.
        func probability(of count: UInt32, in context: Int, otherwise shorter: Double) -> Double {
            let following = contexts[context]
            guard following.total > 0 else { return shorter }
            return (Double(count) - discounts.value(of: count)) / Double(following.total)
                + following.left(discounts) * shorter
        }
    }

    /// The n-grams of each length, including the empty one.
    private var tables: [NGramTable]
    /// For each length from 1: by occurrences and by continuations.
    private var occurrences: [Estimate] = []
    private var continuations: [Estimate] = []
    /// The number of symbols that can be predicted.
    private let predictable: Int

    package var order: Int { tables.count - 1 }

    /// - Parameters:
    ///   - text: the training text.
    ///   - vocabulary: the vocabulary whose symbols are predicted.
    ///   - seed: the seed that selects which symbols that occur once are replaced by `unknown`.
    package init(
        _ text: EncodedText, vocabulary: Vocabulary, order: Int = KneserNey.maximumOrder, seed: UInt64 = 1
    ) {
        precondition(order >= 1, "n-grams of \(order) symbols")
        predictable = vocabulary.symbols.count + 1 + (vocabulary.records == nil ? 0 : 1)
        tables = (0...order).map { _ in NGramTable() }
        _ = tables[0].insert(0, 0)
        count(text, UnknownRule(text: text, vocabularySize: vocabulary.count, seed: seed))
        for length in 1...order {
            occurrences.append(estimate(length, tables[length].counts))
            continuations.append(estimate(length, tables[length].continuations))
        }
    }

    private mutating func count(_ text: EncodedText, _ unknowns: UnknownRule) {
        // The n-grams that end at the last symbol, from the empty one on.
        var path = [0]
        text.forEachTarget { _, symbol, isFresh in
            if isFresh { path = [0, tables[1].insert(0, text.boundary).index] }
            let plain = text.id(ofSymbol: symbol)
            let id = unknowns.replaces(plain, epoch: 0) ? text.unknown : plain
            var next = [0]
            next.reserveCapacity(order + 1)
            for length in 1...min(order, path.count) {
                let (index, isNew) = tables[length].insert(path[length - 1], id)
                tables[length].counts[index] += 1
                // The n-gram without its first symbol follows one more distinct symbol.
                if isNew && length > 1 { tables[length - 1].continuations[next[length - 1]] += 1 }
                next.append(index)
            }
            // An n-gram at the beginning of a text has nothing before it.
            if path.count <= order && path.count > 1 { tables[path.count].continuations[next[path.count]] += 1 }
            path = next
        }
    }

    private func estimate(_ length: Int, _ counts: [UInt32]) -> Estimate {
        let table = tables[length]
        var contexts = [Context](repeating: Context(), count: tables[length - 1].count)
        var countsOfCounts = [Int](repeating: 0, count: 5)
        for (index, count) in counts.enumerated() where count > 0 {
            contexts[table.prefix(of: index)].add(count)
            if count <= 4 { countsOfCounts[Int(count)] += 1 }
        }
        return Estimate(contexts: contexts, discounts: Discounts(countsOfCounts: countsOfCounts))
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
        var path = [0]
        var probabilities = [Double](repeating: 0, count: order)
        text.forEachTarget { position, symbol, isFresh in
            if isFresh { path = [0] + [tables[1].find(0, text.boundary)].compactMap(\.self) }
            path = predict(text.id(ofSymbol: symbol), after: path, into: &probabilities)
            body(position, symbol, probabilities)
        }
    }

    /// Sets the probabilities of a symbol under n-grams of each length, and returns the n-grams that end with it.
    private func predict(_ id: Int32, after path: [Int], into probabilities: inout [Double]) -> [Int] {
        var next = [0]
        var shorter = 1 / Double(predictable)
        for length in 1...order {
            let context = length <= path.count ? path[length - 1] : nil
            let index = context.flatMap { tables[length].find($0, id) }
            if let index, next.count == length { next.append(index) }
            guard let context else {
                probabilities[length - 1] = shorter
                continue
            }
            probabilities[length - 1] = occurrences[length - 1].probability(
                of: index.map { tables[length].counts[$0] } ?? 0, in: context, otherwise: shorter)
            shorter = continuations[length - 1].probability(
                of: index.map { tables[length].continuations[$0] } ?? 0, in: context, otherwise: shorter)
        }
        return next
    }
}
