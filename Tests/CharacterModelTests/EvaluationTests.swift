import Cluster
import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

@testable import CharacterModel

@Suite("Evaluation")
struct EvaluationTests {
    private func model(
        cell: CellKind = .lstm, layers: Int = 1, hidden: Int = 20, text: String, unit: TextUnit = .grapheme,
        uniform: Bool = false
    ) throws -> LanguageModel {
        let normalization = unit == .byte ? Normalization.none : .nfc
        let corpus = try Corpus(
            reading: [.bytes(Array(text.utf8), name: "t")], unit: unit, normalization: normalization)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let configuration = try ModelConfiguration(
            cell: cell, layers: layers, hidden: hidden, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        if !uniform { parameters.initialize(configuration, seed: 4) }
        return LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: nil, state: nil)
        )
    }

    private func corpus(_ texts: [String], for model: LanguageModel) throws -> Corpus {
        try Corpus(
            reading: texts.enumerated().map { .bytes(Array($1.utf8), name: "file \($0)") },
            unit: model.vocabulary.unit, normalization: model.vocabulary.normalization)
    }

    @Test("The perplexity of a uniform model is V", arguments: CellKind.allCases)
    func uniform(cell: CellKind) throws {
        let model = try model(cell: cell, layers: 2, text: sampleText, uniform: true)
        let evaluation = try model.evaluate(try corpus([sampleText], for: model))
        let size = Double(model.vocabulary.count)
        #expect(abs(evaluation.total.likelihood.perplexity / size - 1) < 1e-12)
        #expect(evaluation.total.likelihood.tokens == sampleText.count)
        #expect(evaluation.total.standardError.map { $0 < 1e-12 } ?? false)
    }

    @Test("Unknown symbols cost -ln p(unknown) and their spelling")
    func unknown() throws {
        let model = try model(text: "ab", uniform: true)
        let evaluation = try model.evaluate(try corpus(["aé👍🏽"], for: model))
        let bits = 3 * log2(4.0) + 8.0 * (2 + 1) + 8.0 * (8 + 1)
        #expect(abs(evaluation.total.likelihood.bits - bits) < 1e-9)
        #expect(evaluation.total.unknownTokens == 2)
        let bytes = try self.model(text: "ab", unit: .byte, uniform: true)
        let other = try bytes.evaluate(try corpus(["aé"], for: bytes))
        #expect(abs(other.total.likelihood.bits - (3 * log2(4.0) + 16)) < 1e-9)
        #expect(other.total.counts.characters == 2 && other.total.counts.bytes == 3)
    }

    @Test("Files together score as files alone, and carry differs", arguments: CellKind.allCases)
    func files(cell: CellKind) throws {
        let model = try model(cell: cell, layers: 2, text: sampleText)
        let texts = [String(sampleText.prefix(900)), "", String(sampleText.dropFirst(900))]
        let together = try model.evaluate(try corpus(texts, for: model), threads: 2)
        for (file, text) in zip(together.files, texts) where !text.isEmpty {
            let alone = try model.evaluate(try corpus([text], for: model))
            #expect(file.likelihood.tokens == alone.total.likelihood.tokens)
            #expect(abs(file.likelihood.nats - alone.total.likelihood.nats) < 1e-9)
        }
        #expect(abs(together.files.reduce(0) { $0 + $1.likelihood.nats } - together.total.likelihood.nats) < 1e-9)
        let carried = try model.evaluate(try corpus(texts, for: model), state: .carry)
        let whole = try model.evaluate(try corpus([sampleText], for: model))
        #expect(abs(carried.total.likelihood.nats - whole.total.likelihood.nats) < 1e-9)
        #expect(carried.total.likelihood.nats != together.total.likelihood.nats)
    }

    @Test("Lines score as if each were a separate file")
    func lines() throws {
        let model = try model(text: sampleText)
        let lines = sampleText.split(separator: "\n").map { String($0) + "\n" }
        let text = lines.joined()
        let byLine = try model.evaluate(try corpus([text], for: model), state: .line, threads: 3)
        let byFile = try model.evaluate(try corpus(lines, for: model))
        #expect(abs(byLine.total.likelihood.nats - byFile.total.likelihood.nats) < 1e-9)
    }

    @Test("Surprisals name their file, line and symbol, and sum to the total")
    func surprisals() throws {
        let model = try model(text: "ab\nc")
        var seen: [Surprisal] = []
        let evaluation = try model.evaluate(try corpus(["ab\nc", "b"], for: model), perSymbol: { seen.append($0) })
        #expect(seen.map(\.symbol?.text) == ["a", "b", "\n", "c", "b"])
        #expect(seen.map(\.line) == [1, 1, 1, 2, 1] && seen.map(\.file) == [0, 0, 0, 0, 1])
        #expect(abs(seen.reduce(0) { $0 + $1.nats } - evaluation.total.likelihood.nats) < 1e-12)
    }

    /// Lanes read 256 symbols before they count; what lies further back hardly matters to a fresh network.
    @Test("Scoring in lanes counts every symbol once and comes close to the exact score", arguments: [1, 2])
    func lanes(threads: Int) throws {
        let text = String(repeating: sampleText, count: 4)
        for uniform in [true, false] {
            let model = try model(layers: 2, text: text, uniform: uniform)
            let corpus = try corpus([text, String(sampleText.prefix(333))], for: model)
            let encoded = EncodedText(corpus, vocabulary: model.vocabulary)
            let workers = Workers(count: threads)
            let lanes = model.network.scoreInLanes(encoded, using: workers)!
            let exact = model.network.scores(encoded, using: workers).reduce(0, +)
            #expect(abs(lanes / exact - 1) < (uniform ? 1e-12 : 1e-5))
        }
    }

    /// Chunks are of 256 symbols; some texts end near an edge, some have several parts.
    @Test("Exact scoring equals reading symbol by symbol, to the bit, whatever the number of threads", arguments: 1...3)
    func pipeline(layers: Int) throws {
        let long = String(repeating: sampleText, count: 3)
        for cell in CellKind.allCases {
            for lengths in [[1], [255], [256], [257], [1_000], [300, 1, 700]] {
                let texts = lengths.map { String(long.prefix($0)) }
                let corpus = try Corpus(
                    reading: texts.map { .bytes(Array($0.utf8), name: "t") }, unit: .grapheme, normalization: .nfc)
                let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
                let configuration = try ModelConfiguration(
                    cell: cell, layers: layers, hidden: 11, embedding: layers == 2 ? 3 : 0,
                    vocabularySize: vocabulary.count)
                let parameters = kept(Parameters<Float>(configuration))
                parameters.initialize(configuration, seed: 3)
                let network = Network(configuration, parameters, learns: false, using: Workers(count: 1))
                let encoded = EncodedText(corpus, vocabulary: vocabulary)
                let shard = Shard<Float>(configuration, lanes: 1, steps: 1, learns: false)
                let lane = [Lane(origin: 0, scored: 0..<corpus.count, startsFresh: false)]
                var expected: [Double] = []
                for position in 0..<corpus.count {
                    _ = shard.input.fill(lane, of: encoded, first: position, steps: 1)
                    shard.forward(network, steps: 1)
                    expected.append(shard.loss(steps: 1, scale: 1))
                    shard.advance(steps: 1)
                }
                for threads in [1, 2, 5] {
                    let nats = network.scores(encoded, using: Workers(count: threads))
                    #expect(nats == expected, "\(cell), \(lengths), \(threads) threads")
                }
            }
        }
    }

    @Test("The standard error is right for independent numbers")
    func standardError() throws {
        var error = BlockedError()
        var generator = SplitMix64(seed: 6)
        for _ in 0..<400_000 { error.add(generator.uniform()) }
        // 1/sqrt(12 n), estimated from 400 blocks: within 15 %.
        let expected = 1 / (12.0 * 400_000).squareRoot()
        #expect(abs(try #require(error.standardError) / expected - 1) < 0.15)
        #expect(BlockedError().standardError == nil)
    }

    @Test("Ranks that share the files, lines or records give the same figures, symbol by symbol", arguments: [2, 4])
    func ranks(count: Int) throws {
        let model = try model(layers: 2, text: sampleText)
        let texts = (0..<5).map { part in String(String(repeating: sampleText, count: 3 + part).dropFirst(200 * part)) }
        let corpus = try corpus(texts, for: model)
        for (state, predicts) in [(StatePolicy.file, true), (.line, false), (.carry, true)] {
            typealias Seen = (offset: Int, nats: Double, rank: Int, entropy: Double)
            func evaluate(on cluster: Cluster?) throws -> (TextEvaluation, [Seen]) {
                var seen: [Seen] = []
                let evaluation = try model.evaluate(
                    corpus, state: state, threads: 2, on: cluster, predicts: predicts,
                    perSymbol: { seen.append(($0.offset, $0.nats, $0.prediction.rank, $0.prediction.entropy)) })
                return (evaluation, seen)
            }
            let cluster = try MemoryCluster(ranks: count) { cluster in
                _ = try model.evaluate(corpus, state: state, threads: 1, on: cluster, predicts: predicts)
            }
            let (shared, alone) = (try evaluate(on: Cluster(cluster.leader)), try evaluate(on: nil))
            #expect(cluster.leave().isEmpty)
            #expect(shared.0 == alone.0 && shared.1.count == alone.1.count)
            #expect(zip(shared.1, alone.1).allSatisfy { $0 == $1 })
            #expect(predicts == !shared.1.isEmpty)
        }
    }

    @Test("Each rank gets consecutive parts, all together every part")
    func shares() {
        let parts = [0..<10, 10..<11, 11..<90, 90..<95, 95..<100]
        for ranks in 1...7 {
            let shares = ScoreSharing.shares(of: parts, ranks: ranks)
            #expect(shares.count == ranks && shares.flatMap { $0 } == parts)
        }
        #expect(ScoreSharing.shares(of: parts, ranks: 2) == [[0..<10, 10..<11], [11..<90, 90..<95, 95..<100]])
        #expect(ScoreSharing.shares(of: [], ranks: 2) == [[], []])
    }
}
