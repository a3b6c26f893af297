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

@Suite("Sampling")
struct SamplingTests {
    let logits: [Float] = [1, 0, -1, 2, 0.5]

    private func softmax(_ x: [Double]) -> [Double] {
        let e = x.map { exp($0) }
        return e.map { $0 / e.reduce(0, +) }
    }

    private func probabilities(_ strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, recent: Set<Int> = [])
        -> [Double]
    {
        let distribution = Distribution(logits: logits, strategy: strategy, penalty: penalty, recent: recent)
        var result = [Double](repeating: 0, count: logits.count)
        for candidate in distribution.candidates { result[candidate.id] = candidate.probability }
        return result
    }

    private func expect(_ a: [Double], _ b: [Double], _ what: String) {
        #expect(difference(a, b, relative: 1e-12, absolute: 1e-12) == nil, "\(what)")
    }

    @Test("Exact generation uses the same weights as scoring; rounded ones are close, but different")
    func exactWeights() throws {
        let model = try LanguageModel(contentsOf: fixture("v1-lstm.safetensors"))
        func text(_ isExact: Bool) throws -> (bytes: [UInt8], nats: Double) {
            let generator = try model.generator(
                strategy: .sampled(try Temperature(1), keeping: .everything), seed: 3, isExact: isExact)
            let elements = Array(generator.prefix(200))
            return (elements.flatMap(\.symbol.bytes), -elements.map(\.logProbability).reduce(0, +))
        }
        for isExact in [true, false] {
            let (bytes, nats) = try text(isExact)
            let corpus = try Corpus(
                reading: [.bytes(bytes, name: "t")], unit: model.vocabulary.unit,
                normalization: model.vocabulary.normalization)
            let scored = try model.evaluate(corpus, threads: 1).total.likelihood.nats
            let gap = abs(nats / scored - 1)
            #expect(isExact ? gap < 1e-5 : gap < 1e-2 && gap > 1e-7, "\(isExact): \(nats) and \(scored)")
        }
    }

    @Test("Each filter gives exactly the documented distribution")
    func exactDistributions() throws {
        let x = logits.map(Double.init)
        expect(probabilities(.sampled(try Temperature(1), keeping: .everything)), softmax(x), "plain")
        expect(
            probabilities(.sampled(try Temperature(0.5), keeping: .everything)), softmax(x.map { $0 / 0.5 }),
            "temperature")
        let p = softmax(x)
        func only(_ kept: [Int]) -> [Double] {
            let sum = kept.reduce(0) { $0 + p[$1] }
            return p.indices.map { kept.contains($0) ? p[$0] / sum : 0 }
        }
        expect(
            probabilities(.sampled(try Temperature(1), keeping: try SamplingFilter(topK: 2))), only([3, 0]), "top-k")
        // p is about 0.55, 0.20, 0.12, 0.07, 0.03 from the likeliest on.
        expect(
            probabilities(.sampled(try Temperature(1), keeping: try SamplingFilter(topP: 0.7))), only([3, 0]), "top-p")
        expect(probabilities(.sampled(try Temperature(1), keeping: try SamplingFilter(topP: 0.5))), only([3]), "top-p")
        expect(probabilities(.sampled(try Temperature(1), keeping: try SamplingFilter(topP: 1))), p, "top-p 1")
        expect(
            probabilities(.sampled(try Temperature(1), keeping: try SamplingFilter(minP: 0.2))), only([3, 0, 4]),
            "min-p")
        expect(probabilities(.greedy), [0, 0, 0, 1, 0], "greedy")
        var y = x
        (y[3], y[2]) = (1, -2)
        expect(
            probabilities(
                .sampled(try Temperature(1), keeping: .everything), penalty: try RepetitionPenalty(2), recent: [3, 2]),
            softmax(y), "penalty")
    }

    @Test("Draws follow the distribution", arguments: [1, 2, 3] as [UInt64])
    func chiSquared(seed: UInt64) throws {
        let distribution = Distribution(
            logits: logits, strategy: .sampled(try Temperature(0.8), keeping: try SamplingFilter(topK: 4)))
        var generator = SplitMix64(seed: seed)
        var counts = [Int](repeating: 0, count: logits.count)
        let draws = 20_000
        for _ in 0..<draws { counts[distribution.draw(using: &generator)] += 1 }
        #expect(counts[2] == 0)
        let statistic = distribution.candidates.reduce(0.0) { sum, candidate in
            let expected = candidate.probability * Double(draws)
            return sum + pow(Double(counts[candidate.id]) - expected, 2) / expected
        }
        // Three degrees of freedom: exceeded once in a thousand.
        #expect(statistic < 16.27)
    }

    @Test("Values out of range are refused")
    func badValues() {
        for value in [-1, 0, .nan, .infinity] { #expect(throws: SamplingError.self) { try Temperature(value) } }
        #expect(throws: SamplingError.self) { try SamplingFilter(topK: 0) }
        for p in [0, 2, -0.1, .nan] { #expect(throws: SamplingError.self) { try SamplingFilter(topP: p) } }
        for p in [1.1, -0.1, .nan] { #expect(throws: SamplingError.self) { try SamplingFilter(minP: p) } }
        #expect(throws: SamplingError.self) { try RepetitionPenalty(0) }
    }

    private func model(_ unit: TextUnit = .grapheme, text: String = "abcdeé", ngrams: Int = 0) throws -> LanguageModel {
        let corpus = try Corpus(
            reading: [.bytes(Array(text.utf8), name: "t")], unit: unit, normalization: .none)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let configuration = try ModelConfiguration(
            hidden: 9, embedding: ngrams > 0 ? 7 : 0, ngramEmbedding: ngrams, ngramRows: 60,
            vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 4)
        // As if they were trained.
        parameters.ngrams?.assign(parameters.ngrams!.elements.map { 20 * $0 })
        return LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: nil, state: nil)
        )
    }

    @Test("A sample is the same alone and among others, and differs from its neighbours")
    func streams() throws {
        let model = try model()
        func sample(_ stream: UInt64) throws -> [Int] {
            let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: .everything)
            return try model.generator(strategy: strategy, seed: 9, stream: stream).prefix(60).map(\.id)
        }
        let first = try [sample(0), sample(1), sample(2)]
        #expect(try first == [sample(0), sample(1), sample(2)])
        #expect(Set(first).count == 3)
        #expect(first.joined().allSatisfy { $0 < model.vocabulary.symbols.count })
    }

    /// The nats of each symbol under the rounded weights that generation reads.
    private func nats(of corpus: Corpus, _ model: LanguageModel) throws -> [Double] {
        let text = EncodedText(corpus, vocabulary: model.vocabulary)
        return model.roundedNetwork.scores(text)
    }

    @Test("Rounded weights move the perplexity of a trained model by less than a tenth of a per cent")
    func compactWeights() throws {
        for name in ["v1-lstm", "v1-gru", "v1-rnn"] {
            let model = try LanguageModel(contentsOf: fixture("\(name).safetensors"))
            let corpus = try Corpus(
                reading: [.bytes(Array(sampleText.utf8), name: "t")], unit: model.vocabulary.unit,
                normalization: model.vocabulary.normalization)
            let full = try model.evaluate(corpus).total.likelihood
            let mean = try nats(of: corpus, model).reduce(0, +) / Double(full.tokens)
            #expect(abs(exp(mean) / full.perplexity - 1) < 0.001, "\(name)")
        }
    }

    @Test("Log-probabilities of a sample are the nats that scoring gives it", arguments: [0, 4])
    func logProbabilities(ngrams: Int) throws {
        let model = try model(ngrams: ngrams)
        let strategy = SamplingStrategy.sampled(try Temperature(0.7), keeping: try SamplingFilter(topK: 3))
        let alone = Array(try model.generator(strategy: strategy, seed: 1).prefix(100))
        // One that goes on from another place of the text, beside a neighbour.
        let (batch, first) = (TextBatch(model, threads: 1), try model.generator(strategy: strategy, seed: 1))
        var sample = Array(first.prefix(9))
        let texts = [first.fork(stream: 0, draw: 1), try model.generator(strategy: strategy, seed: 2)]
        sample += (0..<91).compactMap { _ in batch.next(texts)[0] }
        try expectNats(of: alone, model)
        try expectNats(of: sample, model)
    }

    private func expectNats(of sample: [TextGenerator.Element], _ model: LanguageModel) throws {
        let corpus = try Corpus(
            reading: [.bytes(sample.flatMap(\.symbol.bytes), name: "s")], unit: .grapheme, normalization: .none)
        let nats = try nats(of: corpus, model)
        #expect(nats.count == 100)
        #expect(abs(sample.reduce(0) { $0 + $1.logProbability } + nats.reduce(0, +)) < 1e-4)
    }

    @Test("A prompt of any length is read completely, including unknown symbols", arguments: [0, 4])
    func prompts(ngrams: Int) throws {
        let model = try model(ngrams: ngrams)
        let long = String(repeating: "abc?", count: 50)
        let ids = try model.vocabulary.encode(long)
        #expect(ids.contains(model.vocabulary.unknown))
        // What follows a prompt of any length has the probability that scoring the whole text gives it.
        for length in [0, 1, 63, 64, 65, 127, 128, 200] {
            let prompt = String(long.prefix(length))
            let next = try #require(try model.generator(prompt: prompt, strategy: .greedy, seed: 1).next())
            let text = Array(prompt.utf8) + next.symbol.bytes
            let corpus = try Corpus(reading: [.bytes(text, name: "t")], unit: .grapheme, normalization: .none)
            let last = try #require(try nats(of: corpus, model).last)
            #expect(abs(last + next.logProbability) < 1e-5, "a prompt of \(length)")
        }
    }

    @Test("Text is well-formed at every moment, whatever bytes come")
    func utf8Stream() {
        var generator = SplitMix64(seed: 8)
        let pool: [UInt8] = [
            0x41, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x90, 0x88, 0xED, 0xA0, 0xFF, 0x80, 0xC0, 0xF4,
        ]
        for _ in 0..<500 {
            let bytes = (0..<20).map { _ in pool[Int(generator.next() % UInt64(pool.count))] }
            var stream = UTF8Stream()
            var text = ""
            for byte in bytes { text += stream.append([byte]) }
            text += stream.finish()
            #expect(Array(text.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes)")
        }
        var stream = UTF8Stream()
        #expect(stream.append([0xF0, 0x9F]) == "" && stream.append([0x90]) == "" && stream.append([0x88]) == "🐈")
        #expect(stream.append([0xE2, 0x82]) == "" && stream.finish() == "\u{FFFD}")
    }
}
