import CharacterModel
import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

/// The filters beyond temperature, top-k, top-p and min-p: each gives exactly the distribution it promises.
@Suite struct SamplingFilterTests {
    /// Probabilities 0.4, 0.3, 0.15, 0.1, 0.05.
    private let logits = [0.4, 0.3, 0.15, 0.1, 0.05].map { Float(log($0)) }

    private func probabilities(
        _ filter: SamplingFilter = .everything, biases: [Int: Double] = [:], banned: Set<Int> = [],
        limit: Double? = nil, penalty: RepetitionPenalty = .none, recent: Set<Int> = []
    ) throws -> [Double] {
        let distribution = Distribution(
            logits: logits, strategy: .sampled(try Temperature(1), keeping: filter), penalty: penalty, recent: recent,
            biases: biases, banned: banned, surpriseLimit: limit)
        var result = [Double](repeating: 0, count: logits.count)
        for candidate in distribution.candidates { result[candidate.id] = candidate.probability }
        return result
    }

    private func expect(_ a: [Double], _ b: [Double]) {
        #expect(difference(a, b, relative: 1e-6, absolute: 1e-7) == nil, "\(a) is not \(b)")
    }

    @Test func typicalKeepsWhatSurprisesAsExpected() throws {
        // The entropy is 1.3924 nats; the surprises 0.916, 1.204, 1.897, 2.303, 2.996: the order is 1, 0, 2, 3, 4.
        try expect(probabilities(SamplingFilter(typical: 0.3)), [0, 1, 0, 0, 0])
        try expect(probabilities(SamplingFilter(typical: 0.31)), [0.4 / 0.7, 0.3 / 0.7, 0, 0, 0])
        try expect(probabilities(SamplingFilter(typical: 0.71)), [0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0])
        try expect(probabilities(SamplingFilter(typical: 1)), [0.4, 0.3, 0.15, 0.1, 0.05])
        // The likeliest is not always typical: here the entropy is 1.75 nats, and it surprises by 0.92 only.
        let peaked = ([0.4] + [Double](repeating: 0.1, count: 6)).map { Float(log($0)) }
        let distribution = Distribution(
            logits: peaked, strategy: .sampled(try Temperature(1), keeping: try SamplingFilter(typical: 0.55)))
        #expect(distribution.candidates.map(\.id) == [1, 2, 3, 4, 5, 6])
        for value in [0, -1, 1.1, .nan] { #expect(throws: SamplingError.self) { try SamplingFilter(typical: value) } }
    }

    @Test func filtersComeInTheirOrder() throws {
        // Top-k 3 first: 0.47, 0.35, 0.18; of these the typical ones.
        let kept = try probabilities(SamplingFilter(topK: 3, typical: 0.5))
        expect(kept, [0.4 / 0.7, 0.3 / 0.7, 0, 0, 0])
        // A ban before top-k: the next ones take the place.
        try expect(probabilities(SamplingFilter(topK: 2), banned: [0]), [0, 0.3 / 0.45, 0.15 / 0.45, 0, 0])
        // A bias before the penalty, which divides what is above 0 then.
        let biased = try probabilities(
            biases: [4: 5], penalty: RepetitionPenalty(2), recent: [4])
        let odds = [0.4, 0.3, 0.15, 0.1, exp((log(0.05) + 5) / 2)]
        expect(biased, odds.map { $0 / odds.reduce(0, +) })
    }

    @Test func biasesAndBansAreExact() throws {
        let odds = [0.4 * exp(1), 0.3, 0.15 * exp(-2), 0.1, 0.05]
        try expect(probabilities(biases: [0: 1, 2: -2]), odds.map { $0 / odds.reduce(0, +) })
        try expect(probabilities(banned: [0, 4]), [0, 0.3 / 0.55, 0.15 / 0.55, 0.1 / 0.55, 0])
        let greedy = Distribution(logits: logits, strategy: .greedy, banned: [0])
        #expect(greedy.candidates.map(\.id) == [1])
        #expect(Distribution(logits: logits, strategy: .greedy, banned: Set(0..<5)).candidates.isEmpty)
    }

    @Test func mirostatCutsAtItsLimitAndFollowsItsTarget() throws {
        // 2 bits: what is at least 1/4; and never less than the likeliest.
        try expect(probabilities(limit: 2), [0.4 / 0.7, 0.3 / 0.7, 0, 0, 0])
        try expect(probabilities(limit: 0.1), [1, 0, 0, 0, 0])
        let mirostat = try Mirostat(target: 1.1)
        #expect(mirostat.firstLimit == 2.2)
        #expect(abs(mirostat.limit(after: 2.2, drawn: 0.25) - (2.2 - 0.1 * 0.9)) < 1e-12)
        // Over many draws the mean surprise comes to the target.
        var (limit, bits, generator) = (mirostat.firstLimit, 0.0, SplitMix64(seed: 3))
        for _ in 0..<20_000 {
            let distribution = Distribution(
                logits: logits, strategy: .sampled(try Temperature(1), keeping: .everything), surpriseLimit: limit)
            let p = distribution.probability(of: distribution.draw(using: &generator))
            bits -= log2(p)
            limit = mirostat.limit(after: limit, drawn: p)
        }
        #expect(abs(bits / 20_000 - 1.1) < 0.05)
        #expect(throws: SamplingError.self) { try Mirostat(target: 0) }
        #expect(throws: SamplingError.self) { try Mirostat(target: 1, rate: .nan) }
    }

    private func model(_ text: String) throws -> LanguageModel {
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let configuration = try ModelConfiguration(hidden: 9, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 4)
        return LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: nil, state: nil)
        )
    }

    private func sample(_ model: LanguageModel, _ rules: SymbolRules, prompt: String = "") throws -> String {
        let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: .everything)
        let generator = try model.generator(prompt: prompt, strategy: strategy, rules: rules, seed: 5)
        return generator.prefix(3_000).map(\.symbol.text).joined()
    }

    @Test func aBannedTextNeverComes() throws {
        let model = try model("abcd")
        #expect(try sample(model, .none).contains("ab"))
        let rules = try SymbolRules(bans: ["ab", "c", "ddd", "zz"], vocabulary: model.vocabulary)
        let text = try sample(model, rules, prompt: "a")
        #expect(!("a" + text).contains("ab") && !text.contains("c") && !text.contains("ddd") && text.contains("dd"))
        #expect(text.count == 3_000)
        let all = try SymbolRules(bans: ["a", "b", "c", "d"], vocabulary: model.vocabulary)
        #expect(try sample(model, all).isEmpty)
        #expect(throws: SamplingError.self) { try SymbolRules(bans: [""], vocabulary: model.vocabulary) }
        for bias in [("ab", 1), ("z", 1), ("", 1), ("a", Double.infinity), ("a", 1_001)] {
            #expect(throws: SamplingError.self) { try SymbolRules(biases: [bias], vocabulary: model.vocabulary) }
        }
    }

    @Test func aPenaltyReachesAsFarAsItIsTold() throws {
        let model = try model("abcd")
        // Where all logits are below 0, a strong penalty leaves a symbol out as long as it is among the last ones.
        let rules = try SymbolRules(biases: ["a", "b", "c", "d"].map { ($0, -100) }, vocabulary: model.vocabulary)
        func text(_ reach: Int) throws -> String {
            let penalty = try RepetitionPenalty(1e9, reach: reach)
            let generator = try model.generator(strategy: .greedy, penalty: penalty, rules: rules, seed: 1)
            return generator.prefix(12).map(\.symbol.text).joined()
        }
        let three = Array(try text(3))
        for at in 3..<12 { #expect(!three[(at - 3)..<at].contains(three[at])) }
        #expect(try text(1) != text(3))
        #expect(throws: SamplingError.self) { try RepetitionPenalty(1.2, reach: 0) }
    }

    @Test func readingGoesOnAsIfItHadBeenThePrompt() throws {
        let model = try model("abcd")
        let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: .everything)
        let parts = try model.generator(prompt: "ab", strategy: strategy, seed: 7)
        try parts.read(Array("cda".utf8))
        let whole = try model.generator(prompt: "abcda", strategy: strategy, seed: 7)
        #expect(parts.prefix(50).map(\.id) == whole.prefix(50).map(\.id))
    }
}

/// Copies from a text: against looking for every run.
@Suite struct NoveltyTests {
    @Test func findsWhatLookingEverywhereFinds() throws {
        var generator = SplitMix64(seed: 8)
        func letters(_ count: Int) -> [Int] { (0..<count).map { _ in Int(generator.next() % 3) } }
        let original = letters(4_000)
        var texts = (0..<4).map { _ in letters(60) }
        texts.append(Array(original[100..<150]) + letters(10) + Array(original[3_970..<4_000]))
        // A run that stands twice in the text, the second time as the end of nothing longer.
        texts.append(Array(original[200..<225]) + [4] + Array(original[205..<225]))
        texts.append([])
        texts.append(Array(original[0..<19]))
        texts.append([3, 3, 3])
        let corpus = try Corpus(
            reading: [.bytes(original.map { UInt8(97 + $0) } + [100, 101], name: "t")], unit: .byte,
            normalization: .none)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let results = Novelty(of: texts, in: corpus, vocabulary: vocabulary).results
        let whole = original + [3, 4]
        func stands(_ run: ArraySlice<Int>) -> Bool { run.isEmpty || whole.firstRange(of: run) != nil }
        for (text, result) in zip(texts, results) {
            var longest = 0
            for start in text.indices {
                while start + longest < text.count, stands(text[start...start + longest]) { longest += 1 }
            }
            #expect(result.longestRun == longest)
            #expect(stands(text[result.start..<result.start + result.longestRun]))
            let windows = text.count < 20 ? 0 : text.count - 19
            #expect(result.windows == windows)
            #expect(result.copiedWindows == (0..<windows).count { stands(text[$0..<$0 + 20]) })
        }
        #expect(results[4].longestRun >= 50 && results[4].copiedWindows >= 31 + 11)
    }
}

/// Records of a text: against comparing with each.
@Suite struct KnownRecordsTests {
    @Test func knowsWholeRecordsAndNothingElse() throws {
        let corpus = try Corpus(
            reading: [.bytes(Array("Anna\nBo\n\nAnna\nZoe\u{308}\nMary Ann".utf8), name: "t")], records: .line)
        let known = KnownRecords(of: corpus)
        for record in ["Anna", "Bo", "Zo\u{EB}", "Mary Ann"] {
            #expect(known.contains(Array(record.utf8)), "\(record)")
        }
        for other in ["Ann", "nna", "Annas", "Zoe\u{308}", "Mary", "Bo\n", "Anna\nBo"] {
            #expect(!known.contains(Array(other.utf8)), "\(other)")
        }
        let plain = try Corpus(reading: [.bytes(Array("Anna\n".utf8), name: "t")])
        #expect(!KnownRecords(of: plain).contains(Array("Anna".utf8)))
    }
}
