import Concurrency
import Randomness
import RealModule
import Synchronization
import Tokenization

/// A unit whose activation alone tells a fact about the place in the text (interpretable units: Karpathy, Johnson & Fei-Fei 2015).
public struct TellingUnit: Sendable, Equatable {
    public enum Measure: String, Sendable {
        /// The area under the receiver operating characteristic: the probability that a place where the fact is true has a
        /// higher activation than one where it is false (Hanley & McNeil 1982). 0.5 is chance.
        case auc
        /// Pearson's correlation. 0 is chance.
        case correlation
    }

    /// From 0, at the input.
    public var layer: Int
    public var unit: Int
    public var fact: TextFact
    public var measure: Measure { fact.isBinary ? .auc : .correlation }
    /// On the second half of the text, in the direction found on the first half: 1 is perfect.
    public var score: Double
    /// The score on the first half, on which the unit was found; higher than `score` as far as it was luck.
    public var foundScore: Double
    /// Whether the activation is low, and not high, where the fact is true.
    public var isInverted: Bool
}

extension LanguageModel {
    /// The units whose output tells most about each fact: found on the first half of a text, scored on the second.
    ///
    /// - Parameters:
    ///   - corpus: as the model reads it.
    ///   - limit: the most symbols that are read; 20,000 places of each half are looked at, fewer with very many units.
    ///   - count: how many units for each fact.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Returns: by fact, the best unit first. A fact that is (nearly) always or never true is left out.
    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public func tellingUnits(
        over corpus: Corpus, limit: Int = 200_000, perFact count: Int = 5, threads: Int? = nil
    ) throws(EvaluationError) -> [TellingUnit] {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        let places = Places(text, corpus, units: configuration.layers * configuration.hidden, limit: limit)
        guard places.halves.allSatisfy({ $0.count > 1 }) else { return [] }
        let values = activations(text, at: places.positions)
        let workers = Workers(count: max(1, threads ?? Workers.cores))
        return TextFact.allCases.enumerated().flatMap { index, fact -> [TellingUnit] in
            let truth = places.facts.map { $0[index] }
            let halves = places.halves.map { FactHalf($0, truth, isBinary: fact.isBinary) }
            guard halves.allSatisfy(\.isTellable), !places.isMeaningless(fact) else { return [] }
            let found = Mutex([Double](repeating: 0, count: values.count))
            workers.forEach(values.count) { unit in
                let score = halves[0].score(values[unit])
                found.withLock { $0[unit] = score }
            }
            let scores = found.withLock { $0 }
            return scores.indices.sorted { (-abs(scores[$0]), $0) < (-abs(scores[$1]), $1) }.prefix(max(0, count)).map {
                unit in
                let (sign, half) = (scores[unit] < 0 ? -1.0 : 1, fact.isBinary ? 0.5 : 0)
                let other = sign * halves[1].score(values[unit])
                return TellingUnit(
                    layer: unit / configuration.hidden, unit: unit % configuration.hidden, fact: fact,
                    score: fact.isBinary ? half + other / 2 : other,
                    foundScore: fact.isBinary ? half + abs(scores[unit]) / 2 : abs(scores[unit]), isInverted: sign < 0)
            }
        }
    }

    /// Each unit's output, layer by layer, after the symbols at some positions, which are in order.
    private func activations(_ text: EncodedText, at positions: [Int]) -> [[Float]] {
        let h = configuration.hidden
        var values = [[Float]](
            repeating: [Float](repeating: 0, count: positions.count), count: configuration.layers * h)
        var next = 0
        TextPass(network: network, text: text).run(steps: (positions.last ?? -1) + 2) { chunk in
            // The step after a symbol reads it.
            while next < positions.count, chunk.steps.contains(positions[next] + 1) {
                for layer in 0..<configuration.layers {
                    let states = chunk.states(layer: layer)
                    let row = positions[next] + 1 - chunk.steps.lowerBound
                    for unit in 0..<h { values[layer * h + unit][next] = states[row, unit] }
                }
                next += 1
            }
        }
        return values
    }
}

/// The places of a text at which units are looked at: a random one in each of equal stretches, so that no period of the text is met.
private struct Places {
    var positions: [Int] = []
    /// At each position.
    var facts: [[Float]] = []
    /// Indices into `positions` of the places in either half.
    var halves: [Range<Int>] = []

    init(_ text: EncodedText, _ corpus: Corpus, units: Int, limit: Int) {
        let length = min(max(0, limit), text.count)
        let wanted = min(length, 2 * min(20_000, max(100, (1 << 24) / units)))
        var generator = SplitMix64(seed: 1, stream: RandomStream.inspection)
        var chosen = (0..<wanted).map { index in
            let stretch = index * length / wanted..<(index + 1) * length / wanted
            return Int.random(in: stretch, using: &generator)
        }[...]
        var reader = FactReader(symbols: corpus.symbols)
        let unread = text.unreadSymbols(upTo: length)
        text.forEachTarget(upTo: length) { position, symbol, isFresh in
            let values = reader.read(Int(symbol), isFresh: isFresh)
            guard position == chosen.first else { return }
            chosen.removeFirst()
            guard !unread.contains(position) else { return }
            positions.append(position)
            facts.append(values)
        }
        let middle = positions.count { $0 < length / 2 }
        halves = [0..<middle, middle..<positions.count]
    }
}

extension Places {
    /// Whether a fact says nothing here: words, in scripts that do not separate them, or where each line is one.
    func isMeaningless(_ fact: TextFact) -> Bool {
        guard fact == .insideWord || fact == .positionInWord else { return false }
        let all = TextFact.allCases
        let (inWord, inLine) = (all.firstIndex(of: .positionInWord)!, all.firstIndex(of: .positionInLine)!)
        let words = facts.count { $0[inWord] == 1 }
        let letters = facts.count { $0[inWord] > 0 }
        let isUnseparated = letters > 12 * max(1, words)
        return isUnseparated || (fact == .positionInWord && facts.allSatisfy { $0[inWord] == $0[inLine] })
    }
}

/// A fact at the places of one half of the text.
private struct FactHalf {
    private let places: Range<Int>
    private let truth: [Float]
    private let isBinary: Bool

    init(_ places: Range<Int>, _ truth: [Float], isBinary: Bool) {
        (self.places, self.truth, self.isBinary) = (places, truth, isBinary)
    }

    /// Whether there are enough places of either kind, or different numbers.
    var isTellable: Bool {
        guard isBinary else { return places.contains { truth[$0] != truth[places.lowerBound] } }
        let count = places.count { truth[$0] > 0 }
        return min(count, places.count - count) >= 20
    }

    /// From -1 to 1, 0 by chance: the correlation, or twice the area under the curve less 1. 0 if it is not a number.
    func score(_ values: [Float]) -> Double {
        let score = isBinary ? 2 * area(values) - 1 : correlation(values)
        return score.isFinite ? score : 0
    }

    /// By the sum of the ranks of the true places (Mann & Whitney 1947); equal values share their mean rank.
    private func area(_ values: [Float]) -> Double {
        let keys = places.map { place -> UInt64 in
            let bits = (values[place] + 0).bitPattern
            // In the order of the values as unsigned integers.
            let ordered = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
            return UInt64(ordered) << 32 | UInt64(place)
        }.sorted()
        var (sum, positives) = (0.0, 0)
        var first = 0
        while first < keys.count {
            var end = first + 1
            while end < keys.count, keys[end] >> 32 == keys[first] >> 32 { end += 1 }
            let here = (first..<end).count { truth[Int(keys[$0] & 0xFFFF_FFFF)] > 0 }
            sum += Double(here) * Double(first + end + 1) / 2
            positives += here
            first = end
        }
        let (p, n) = (Double(positives), Double(keys.count - positives))
        return (sum - p * (p + 1) / 2) / (p * n)
    }

    private func correlation(_ values: [Float]) -> Double {
        let n = Double(places.count)
        var (x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for place in places {
            let (a, b) = (Double(values[place]), Double(truth[place]))
            (x, y, xx, yy, xy) = (x + a, y + b, xx + a * a, yy + b * b, xy + a * b)
        }
        return (xy - x * y / n) / ((xx - x * x / n) * (yy - y * y / n)).squareRoot()
    }
}
