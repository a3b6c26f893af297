import Concurrency
import LinearAlgebra
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

@Suite("Crops") struct CropTests {
    private func model(_ text: String, bias: [Float]? = nil) throws -> LanguageModel {
        let corpus = try corpus(text)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let configuration = try ModelConfiguration(
            cell: .gru, layers: 2, hidden: 20, embedding: 8, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        if let bias { parameters.decoderBias.assign(bias) } else { parameters.initialize(configuration, seed: 4) }
        return LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: nil, state: nil)
        )
    }

    private func corpus(_ text: String) throws -> Corpus {
        try Corpus(reading: [.bytes(Array(text.utf8), name: "t")], unit: .grapheme, normalization: .nfc)
    }

    /// -ln p of each symbol after the first, read step by step from a zero state.
    private func nats(of text: String, under model: LanguageModel) throws -> [Double] {
        let mixer = model.mixture.map { CountMixer($0, lanes: 1) }
        let ids = try corpus(text).symbols(of: text).map { Int32(model.vocabulary.id(of: $0)) }
        let shard = Shard<Float>(model.network.model, lanes: 1, steps: 1, learns: false)
        return zip(ids, ids.dropFirst()).map { input, target in
            (shard.input.ids.view[0, 0], shard.input.targets.view[0, 0]) = (input, target)
            shard.forward(model.network, steps: 1)
            mixer?.mix(into: shard, steps: 1)
            defer { shard.advance(steps: 1) }
            return shard.loss(steps: 1, scale: 1)
        }
    }

    private func mixed(_ text: String) throws -> LanguageModel {
        let (model, data) = (try model(text), try TrainingData(try corpus(text), fraction: 0))
        let counts = NGramCounts(data.training, vocabulary: model.vocabulary, bytes: 1_000_000, seed: 1)
        return LanguageModel(
            model.configuration, model.vocabulary, model.parameters, nil, CountMixture(counts: counts, gate: .usual))
    }

    @Test("A crop is read from nothing, its first symbol given", arguments: [false, true])
    func fromNothing(mixes: Bool) throws {
        let model = mixes ? try mixed(sampleText) : try model(sampleText)
        for length in [1, 63, 64, 65, 150] {
            let text = String(sampleText.prefix(length + 1))
            // There is only one place for such a crop.
            let crops = try model.evaluateCrops(try corpus(text), length: length, count: 11, seed: 3)
            let expected = try nats(of: text, under: model)
            #expect(crops.length == length && crops.count == 11 && crops.likelihood.tokens == 11 * length)
            for (one, other) in zip(crops.natsByPlace, expected) { #expect(abs(one - other) < 1e-5) }
            #expect(abs(crops.likelihood.nats - 11 * expected.reduce(0, +)) < 1e-3)
            #expect(crops.standardError.map { $0 < 1e-9 } ?? false)
            #expect(abs(crops.nats(from: 0) * Double(length) - expected.reduce(0, +)) < 1e-4)
            #expect(abs(crops.nats(from: length - 1) - expected[length - 1]) < 1e-5)
        }
    }

    @Test("The seed chooses the places; threads change nothing")
    func places() throws {
        let (model, text) = (try model(sampleText), try corpus(sampleText))
        let one = try model.evaluateCrops(text, length: 40, count: 30, seed: 1, threads: 1)
        #expect(try model.evaluateCrops(text, length: 40, count: 30, seed: 1, threads: 3) == one)
        #expect(try model.evaluateCrops(text, length: 40, count: 30, seed: 2).likelihood != one.likelihood)
        #expect(try model.evaluateCrops(text, length: 40, count: 1).standardError == nil)
    }

    /// Under p(b) = 4 p(a), the mean tells how often each half of the text was chosen; the crops of its end as often as others.
    @Test("All places are equally likely")
    func uniformPlaces() throws {
        let text = String(repeating: "a", count: 500) + String(repeating: "b", count: 500)
        var bias = [Float](repeating: -100, count: 4)
        let model = try model(text)
        let (a, b) = (
            model.vocabulary.id(of: try #require(try corpus("a").symbols.first)),
            model.vocabulary.id(of: try #require(try corpus("b").symbols.first))
        )
        (bias[a], bias[b]) = (0, 1.386_294_4)
        let biased = try self.model(text, bias: bias)
        let crops = try biased.evaluateCrops(try corpus(text), length: 10, count: 4_000)
        let (costOfA, costOfB) = (1.609_438, 0.223_144)
        let share = (crops.likelihood.nats / Double(crops.likelihood.tokens) - costOfB) / (costOfA - costOfB)
        // Half of the text, within four standard errors.
        #expect(abs(share - 0.5) < 4 * 0.5 / 4_000.0.squareRoot())
        let error = try #require(crops.standardError)
        #expect(abs(error / ((costOfA - costOfB) * 0.5 / 4_000.0.squareRoot()) - 1) < 0.05)
    }

    @Test("Unknown symbols cost their spelling, and are counted where they are")
    func unknown() throws {
        let model = try model("ab", bias: [0, 0, 0, 0])
        let crops = try model.evaluateCrops(try corpus("aéb"), length: 2, count: 3)
        let bit = 0.693_147_180_56
        #expect(abs(crops.natsByPlace[0] - (2 * bit + 24 * bit)) < 1e-5)
        #expect(abs(crops.natsByPlace[1] - 2 * bit) < 1e-5)
    }

    @Test("A crop goes on over the beginnings of files, where the state is reset")
    func files() throws {
        let model = try model(sampleText)
        let (first, second) = (String(sampleText.prefix(40)), String(sampleText.dropFirst(40).prefix(30)))
        let both = try Corpus(
            reading: [first, second].map { .bytes(Array($0.utf8), name: "t") }, unit: .grapheme, normalization: .nfc)
        let crops = try model.evaluateCrops(both, length: 69, count: 2)
        let alone = try model.evaluate(try corpus(second)).total.likelihood.nats
        #expect(abs(crops.natsByPlace[39...].reduce(0, +) - alone) < 1e-4)
        let before = try nats(of: first, under: model)
        for (one, other) in zip(crops.natsByPlace, before) { #expect(abs(one - other) < 1e-5) }
    }

    @Test("A text that is too short, and a cancelled evaluation, are errors")
    func errors() throws {
        let model = try model("abc")
        #expect(throws: EvaluationError.tooShort(name: "t", symbols: 3, needed: 4)) {
            try model.evaluateCrops(try corpus("abc"), length: 3)
        }
        #expect(throws: EvaluationError.cancelled) {
            try model.evaluateCrops(try corpus("abc"), length: 2, isCancelled: { true })
        }
    }
}

extension Corpus {
    /// The symbols of a text that consists of single characters.
    fileprivate func symbols(of text: String) -> [Symbol] {
        var symbols: [Symbol] = []
        forEachToken(in: 0..<count) { _, symbol in symbols.append(self.symbols[symbol]) }
        return symbols
    }
}
