import Concurrency
import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

@testable import CharacterModel

/// Counts that are mixed with a network: n-grams as a checkpoint stores them, and the mixture as a code.
@Suite struct CountTests {
    private func corpus(_ text: String, records: Bool = false) throws -> Corpus {
        try Corpus(reading: [.bytes(Array(text.utf8), name: "text")], records: records ? .line : nil)
    }

    /// A model that mixes counts of a text with a random network.
    private func model(_ data: TrainingData, layers: Int = 1, bytes: Int = 1_000_000) throws -> LanguageModel {
        let configuration = try ModelConfiguration(
            cell: .gru, layers: layers, hidden: 9, embedding: 4, vocabularySize: data.vocabulary.count,
            nonlinearity: .tanh, isTied: false, dropout: 0, weightDropout: 0)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 3)
        let counts = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: bytes, seed: 1)
        return LanguageModel(
            configuration, data.vocabulary, parameters, nil, CountMixture(counts: counts, gate: .usual))
    }

    private func alone(_ model: LanguageModel) -> LanguageModel {
        LanguageModel(model.configuration, model.vocabulary, model.parameters, model.training)
    }

    // MARK: N-grams

    @Test(arguments: [false, true])
    func predictAsKneserNeyDoes(records: Bool) throws {
        let data = try TrainingData(corpus(sampleText, records: records), fraction: 0.2)
        let reference = KneserNey(data.training, vocabulary: data.vocabulary)
        let counts = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: .max, seed: 1)
        let text = try #require(data.validation)
        var cursor = NGramCursor()
        var row = [Float](repeating: 0, count: data.vocabulary.count)
        var seen = 0
        var last: Int32 = -1
        text.forEachTarget { _, _, isFresh in if isFresh { seen += 1 } }
        #expect(records ? seen > 3 : seen == 1)
        var nats = (ours: 0.0, theirs: 0.0)
        reference.forEach(of: text) { position, symbol, probabilities in
            var isFresh = position == 0
            text.forEachTarget(in: position..<position + 1) { isFresh = $2 }
            if isFresh {
                cursor.reset()
                cursor.read(text.boundary, in: counts)
            } else {
                cursor.read(last, in: counts)
            }
            last = text.id(ofSymbol: symbol)
            _ = row.withUnsafeMutableBufferPointer { cursor.predict(from: counts, into: $0) }
            let (ours, wanted) = (Double(row[Int(last)]), probabilities[7])
            if records { #expect(abs(ours - wanted) < 1e-5 * wanted + 1e-9, "at \(position)") }
            nats.ours -= log(ours)
            nats.theirs -= log(wanted)
            #expect(abs(row.reduce(0, +) - 1) < 1e-5)
        }
        // Without records the counts know no beginnings.
        #expect(abs(nats.ours / nats.theirs - 1) < (records ? 1e-6 : 0.01))
    }

    @Test("Within a bound of memory, all probabilities still sum to 1")
    func pruning() throws {
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let whole = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: .max, seed: 1)
        for part in [2, 4, 10] {
            let limit = whole.bytes / part
            let pruned = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: limit, seed: 1)
            #expect(pruned.bytes <= limit && pruned.bytes > 100)
            expectSameTotals(pruned, 0, whole, 0, length: 0)
            var (cursor, row) = (NGramCursor(), [Float](repeating: 0, count: data.vocabulary.count))
            for id in data.training.ids.prefix(300) {
                cursor.read(id, in: pruned)
                _ = row.withUnsafeMutableBufferPointer { cursor.predict(from: pruned, into: $0) }
                #expect(abs(row.reduce(0, +) - 1) < 1e-5 && row.allSatisfy { $0 >= 0 })
            }
        }
    }

    /// What was dropped still counts in the contexts that are kept.
    private func expectSameTotals(_ a: NGramCounts, _ i: Int, _ b: NGramCounts, _ j: Int, length: Int) {
        guard length < a.order else { return }
        var (ours, theirs): ([(Int, Int32)], Int32) = ([], 0)
        a.forEachChild(of: i, length: length) { ours.append(($0, $1)) }
        b.forEachChild(of: j, length: length) { theirs += $1 }
        #expect(ours.isEmpty || ours.reduce(0) { $0 + $1.1 } == theirs, "length \(length)")
        for (symbol, _) in ours where symbol < a.vocabulary.size {
            let id = Int32(symbol)
            guard let x = a.child(of: i, length: length, symbol: id), let y = b.child(of: j, length: length, symbol: id)
            else { continue }
            expectSameTotals(a, x, b, y, length: length + 1)
        }
    }

    @Test("A text that is counted in portions keeps to its bound, and to nearly the same probabilities")
    func portions() throws {
        let data = try TrainingData(corpus(sampleText, records: true), fraction: 0.1)
        func nats(portion: Int, bytes: Int) throws -> Double {
            let counts = NGramCounts(
                data.training, vocabulary: data.vocabulary, bytes: bytes, seed: 1, portion: portion)
            #expect(counts.bytes <= bytes)
            let mixture = CountMixture(counts: counts, gate: .usual)
            let text = try #require(data.validation)
            var nats = 0.0
            _ = try model(data).network.scoreExactly(text, mixing: mixture, using: Workers(count: 1)) {
                nats += $0.countsNats ?? 0
            }
            return nats / Double(text.count)
        }
        let whole = try nats(portion: .max, bytes: .max / 8)
        let portions = try nats(portion: data.training.count / 3, bytes: .max / 8)
        #expect(abs(portions / whole - 1) < 0.02)
        _ = try nats(portion: 500, bytes: 20_000)
    }

    @Test func halvesMergeToTheWhole() throws {
        let data = try TrainingData(corpus(sampleText + "\n" + sampleText + " more.\n", records: true), fraction: 0)
        let text = data.training
        let middle = try #require(text.starts.first { $0 > text.count / 2 })
        let rule = UnknownRule(text: text, vocabularySize: data.vocabulary.count, seed: 1)
        func trie(_ range: Range<Int>) -> NGramTrie {
            NGramTrie(NGramSequence(text, range, unknowns: rule), order: 8, vocabularySize: data.vocabulary.count)
        }
        let (whole, merged) = (trie(0..<text.count), trie(0..<middle).merged(with: trie(middle..<text.count)))
        for (a, b) in zip(whole.levels, merged.levels) {
            #expect(a.symbols == b.symbols && a.occurrences == b.occurrences && a.continuations == b.continuations)
            #expect(a.children == b.children)
        }
    }

    // MARK: The mixture

    @Test(
        "The mixture's probabilities sum to 1 over all that can come, and are those that a text is scored with",
        arguments: [false, true])
    func isACode(records: Bool) throws {
        let data = try TrainingData(corpus(sampleText, records: records), fraction: 0.1)
        for layers in [1, 2] {
            let model = try model(data, layers: layers)
            let text = "the scribe wrote?zz and"
            var total = 0.0
            var before = ""
            for character in text {
                let all = try model.logProbabilities(after: before)
                #expect(abs(all.reduce(0) { $0 + exp($1) } - 1) < 1e-6, "after \(before)")
                let id = model.vocabulary.id(of: Symbol("\(character)"))
                total -= all[id]
                if id == model.vocabulary.unknown { total += model.vocabulary.spellingCost(of: Symbol("\(character)")) }
                before.append(character)
            }
            let end = try exp(model.logProbabilities(after: text)[model.vocabulary.boundary])
            #expect((end > 0) == records)
            if records { total -= try model.logProbabilities(after: text)[model.vocabulary.boundary] }
            let score = try model.evaluate(corpus(text + (records ? "\n" : ""), records: records))
            #expect(abs(score.total.likelihood.nats - total) < 1e-4, "\(score.total.likelihood.nats) \(total)")
            #expect(score.total.unknownTokens == 3)
            // The parts are those of each alone.
            let network = try self.alone(model).evaluate(corpus(text + (records ? "\n" : ""), records: records))
            #expect(abs(try #require(score.network).nats - network.total.likelihood.nats) < 1e-3)
            #expect(network.network == nil && network.ngrams == nil)
        }
    }

    @Test("Scores do not depend on threads, lanes, or where a text is cut")
    func scoring() throws {
        let data = try TrainingData(corpus(sampleText, records: true), fraction: 0.5)
        let model = try model(data, layers: 2)
        let text = try #require(data.validation)
        let one = Workers(count: 1)
        var scores: [[SymbolScore]] = []
        for workers in [one, Workers(count: 3)] {
            for predicts in [false, true] {
                var all: [SymbolScore] = []
                _ = model.network.scoreExactly(text, mixing: model.mixture, using: workers, predicts: predicts) {
                    all.append($0)
                }
                scores.append(all)
            }
        }
        for other in scores.dropFirst() {
            #expect(other.map(\.nats) == scores[0].map(\.nats))
            #expect(other.map(\.countsNats) == scores[0].map(\.countsNats))
        }
        let lanes = try #require(model.network.scoreInLanes(text, mixing: model.mixture, using: one))
        let exact = scores[0].reduce(0) { $0 + $1.nats }
        #expect(abs(lanes / exact - 1) < 1e-3)
        // Counts alone, as the baseline scores them.
        let counted = KneserNey(data.training, vocabulary: data.vocabulary).nats(of: text)[7]
        #expect(abs(scores[0].reduce(0) { $0 + $1.countsNats! } / counted - 1) < 1e-4)
        let table = try model.memory(of: corpus(sampleText, records: true), contexts: [0, 3, 5_000], positions: 200)
        #expect(table.points[1].nats.mean < table.points[0].nats.mean)
        #expect(abs(table.points[2].nats.mean - table.points[3].nats.mean) < 1e-9)
    }

    @Test("What was copied for long enough is not counted any more")
    func copying() throws {
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let model = try model(data)
        let passage = String(sampleText.dropFirst(100).prefix(40))
        func odds(_ longest: Int?, after text: String, _ model: LanguageModel) throws -> [Double] {
            try model.generator(prompt: text, strategy: .greedy, seed: 1, isExact: true, longestCopy: longest)
                .logProbabilities
        }
        let network = try odds(nil, after: passage, alone(model))
        let (short, long, all) = (
            try odds(40, after: passage, model), try odds(41, after: passage, model),
            try odds(nil, after: passage, model)
        )
        #expect(short == network && long != network && all != network)

    }

    @Test("With counts too, a text is the same alone and among others")
    func together() throws {
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let model = try model(data)
        func generators() throws -> [TextGenerator] {
            try (0..<9).map {
                try model.generator(
                    strategy: .sampled(try Temperature(0.9), keeping: .everything), seed: 1, stream: $0,
                    longestCopy: 12)
            }
        }
        let alone = try generators().map { $0.prefix(60).map(\.id) }
        let (texts, batch) = (try generators(), TextBatch(model, threads: 2))
        var together = [[Int]](repeating: [], count: 9)
        for _ in 0..<60 {
            for (text, element) in batch.next(texts).enumerated() { together[text].append(try #require(element).id) }
        }
        #expect(together == alone)
    }

    @Test("A text that goes on from another one's prompt is the one that read the prompt itself")
    func fork() throws {
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let model = try model(data)
        let prompt = String(sampleText.dropFirst(40).prefix(90))
        func generator(_ stream: UInt64, _ draw: UInt64) throws -> TextGenerator {
            try model.generator(
                prompt: prompt, strategy: .sampled(try Temperature(0.9), keeping: .everything),
                penalty: try RepetitionPenalty(1.2), seed: 3, stream: stream, draw: draw)
        }
        let origin = try generator(0, 0)
        let forks = [(0, 0), (1, 0), (1, 2)].map { origin.fork(stream: $0.0, draw: $0.1) }
        for (fork, (stream, draw)) in zip(forks, [(0, 0), (1, 0), (1, 2)] as [(UInt64, UInt64)]) {
            #expect(fork.logProbabilities == origin.logProbabilities)
            #expect(try fork.prefix(50).map(\.id) == generator(stream, draw).prefix(50).map(\.id), "\(stream), \(draw)")
        }
    }

    @Test("A network that has come to nothing is not hidden by the counts")
    func broken() throws {
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let model = try model(data)
        model.parameters.decoderBias.base[2] = .nan
        let total = try model.evaluate(corpus("again")).total.likelihood
        #expect(!total.nats.isFinite)
    }

    @Test("A gate is the most likely one, given the usual one")
    func fitting() throws {
        let data = try TrainingData(corpus(sampleText + sampleText), fraction: 0)
        let model = try model(data)
        let ranges = [100..<700, 2_000..<2_700]
        let workers = Workers(count: 2)
        let fitting = GateFitting(
            model.network,
            NGramCounts(data.training, without: ranges, vocabulary: data.vocabulary, bytes: .max, seed: 1),
            on: data.training, ranges, using: workers)
        let gate = fitting.fit(using: workers)
        #expect(gate == fitting.fit(using: Workers(count: 1)))
        let least = fitting.cost(of: gate, using: workers)
        #expect(least < fitting.cost(of: .usual, using: workers))
        for index in gate.weights.indices {
            for shift in [-0.01, 0.01] {
                var other = gate
                other.weights[index] += shift
                #expect(fitting.cost(of: other, using: workers) > least - 1e-3, "weight \(index)")
            }
        }
    }

    // MARK: The checkpoint

    @Test("A model with counts is read back, and damaged counts are refused")
    func checkpoint() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        let data = try TrainingData(corpus(sampleText), fraction: 0)
        let model = try model(data)
        try model.write(to: path)
        let read = try LanguageModel(contentsOf: path)
        #expect(read.hasCounts && read.mixture?.counts == model.mixture?.counts)
        #expect(read.fingerprint != alone(read).fingerprint)
        let text = try corpus("again the río")
        let scores = try [read, model].map { try $0.evaluate(text).total.likelihood.nats }
        #expect(abs(scores[0] - scores[1]) < 1e-3)
        // The network alone is a file that earlier versions read.
        try alone(model).write(to: path)
        #expect(try SafetensorsFile(contentsOf: path).metadata["version"] == "1")
        let mixture = try #require(model.mixture)
        func refused(_ change: (inout [NGramCounts.Level], inout [Float]) -> Void) throws {
            var (levels, discounts) = (mixture.counts.levels, mixture.counts.discounts)
            change(&levels, &discounts)
            let damaged = NGramCounts(levels: levels, discounts: discounts, vocabulary: mixture.counts.vocabulary)
            try LanguageModel(
                model.configuration, model.vocabulary, model.parameters, nil,
                CountMixture(counts: damaged, gate: mixture.gate)
            ).write(to: path)
            #expect(throws: CheckpointError.self) { try LanguageModel(contentsOf: path) }
        }
        try refused { levels, _ in levels[1].words.swapAt(0, 1) }
        try refused { levels, _ in levels[1].words[0] = -1 }
        try refused { levels, _ in levels[1].words[1] = levels[1].words[0] }
        try refused { levels, _ in levels[8].words.removeLast() }
        try refused { levels, _ in levels[3].children[2] = .max }
        try refused { levels, _ in levels[3].children[0] = 1 }
        try refused { levels, _ in levels[5].children.removeLast() }
        try refused { levels, _ in levels[2].words[levels[2].words.count - 1] |= 127 }
        try refused { _, discounts in discounts[4] = 2.5 }
        try refused { _, discounts in discounts[0] = 0 }
    }
}

/// Counts that grow with a text.
@Suite struct GrowingCountTests {
    @Test("Counts that have grown are those of both texts together")
    func growth() throws {
        let text = sampleText + "\n" + String(sampleText.reversed()) + "\n"
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "text")], records: .line)
        let data = try TrainingData(corpus, fraction: 0)
        let whole = data.training
        let middle = try #require(whole.starts.first { $0 > whole.count / 2 })
        func counts(without ranges: [Range<Int>]) -> NGramCounts {
            NGramCounts(whole, without: ranges, vocabulary: data.vocabulary, bytes: .max, seed: 1)
        }
        let (first, both) = (counts(without: [middle..<whole.count]), counts(without: []))
        var growing = GrowingCounts(first)
        // What is replaced by unknown is counted as such.
        let rule = UnknownRule(text: whole, vocabularySize: data.vocabulary.count, seed: 1)
        var (cursor, before) = (NGramCursor(), whole.boundary)
        whole.forEachTarget(in: middle..<whole.count) { _, symbol, isFresh in
            if isFresh { cursor.reset() }
            cursor.read(isFresh ? whole.boundary : before, in: growing)
            let id = whole.id(ofSymbol: symbol)
            before = rule.replaces(id, epoch: 0) ? whole.unknown : id
            growing.add(before, at: cursor)
        }
        var compared = 0
        func compare(_ a: Int, _ b: Int, length: Int) {
            guard length < both.order else { return }
            both.forEachChild(of: a, length: length) { symbol, count in
                var other: Int32 = -1
                growing.forEachChild(of: b, length: length) { if $0 == symbol { other = $1 } }
                #expect(other == count, "length \(length + 1)")
                compared += 1
                let place = both.child(of: a, length: length, symbol: Int32(symbol))!
                if let there = growing.child(of: b, length: length, symbol: Int32(symbol)) {
                    compare(place, there, length: length + 1)
                }
            }
        }
        compare(0, 0, length: 0)
        #expect(compared > 5_000)
    }

    @Test("Dynamic evaluation of a mixture scores before it counts, and gains from what comes again")
    func dynamic() throws {
        let data = try TrainingData(
            Corpus(reading: [.bytes(Array(sampleText.utf8), name: "text")]), fraction: 0.5)
        let configuration = try ModelConfiguration(
            cell: .gru, layers: 1, hidden: 9, embedding: 4, vocabularySize: data.vocabulary.count,
            nonlinearity: .tanh, isTied: false, dropout: 0, weightDropout: 0)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 3)
        let counts = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: .max, seed: 1)
        let model = LanguageModel(
            configuration, data.vocabulary, parameters, nil, CountMixture(counts: counts, gate: .usual))
        func nats(_ text: String) throws -> Double {
            try model.evaluateDynamically(model.corpus(reading: [.text(text)])).nats
        }
        let phrase = "wrote again Qñ the Q the bread Q and and "
        let (once, other) = (try nats(phrase), try nats(phrase + "lluvia, lluvia, "))
        // The rates are too small for weights to change in so few segments.
        let plain = try model.evaluate([.text(phrase)]).total.likelihood.nats
        #expect(once < plain)
        #expect(try nats(phrase + phrase) < 1.6 * once && other > once)
    }
}
