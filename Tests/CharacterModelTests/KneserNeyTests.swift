import CharacterModel
import Concurrency
import Foundation
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

private struct Cases: Decodable {
    struct Case: Decodable {
        let name: String
        let train: String
        let test: String
        let records: Bool
        let nats: [Double]
    }

    let cases: [Case]
}

/// n-grams: against an implementation by the book (`Fixtures/kneser_ney.py`), and as distributions.
@Suite struct KneserNeyTests {
    private func corpus(_ text: String, records: Bool = false) throws -> Corpus {
        try Corpus(reading: [.bytes(Array(text.utf8), name: "text")], records: records ? .line : nil)
    }

    @Test func scoresAsTheReferenceDoes() throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/kneser_ney", withExtension: "json"))
        let cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: url)).cases
        #expect(cases.count == 3)
        for test in cases {
            let data = try TrainingData(corpus(test.train, records: test.records), fraction: 0)
            let counts = KneserNey(data.training, vocabulary: data.vocabulary)
            let text = EncodedText(try corpus(test.test, records: test.records), vocabulary: data.vocabulary)
            let nats = counts.nats(of: text)
            #expect(nats.count == 8)
            for (ours, theirs) in zip(nats, test.nats) {
                #expect(abs(ours - theirs) < 1e-9 * theirs, "\(test.name): \(nats)")
            }
        }
    }

    /// The probabilities of all that can follow sum to one, after contexts seen and unseen.
    @Test(arguments: [false, true]) func isADistribution(records: Bool) throws {
        let train = "abracadabra\nabra cadabra\nbarca\n"
        let data = try TrainingData(corpus(train, records: records), fraction: 0)
        let counts = KneserNey(data.training, vocabulary: data.vocabulary, order: 4)
        /// Without what spelling unknown symbols costs.
        func nats(_ text: String, records: Bool = false) throws -> [Double] {
            let encoded = EncodedText(try corpus(text, records: records), vocabulary: data.vocabulary)
            return counts.nats(of: encoded).map { $0 - encoded.spellingNats }
        }
        for context in ["a", "abra", "cab", "dd", "zzz", "abrz"] {
            let before = try nats(context)
            // Every known symbol, one that is not, and the end of a record.
            var after = try (data.vocabulary.symbols.map(\.text) + ["?"]).map { try nats(context + $0) }
            if records { after.append(try nats(context + "\n", records: true)) }
            for order in 0..<4 {
                let sum = after.reduce(0) { $0 + exp(before[order] - $1[order]) }
                #expect(abs(sum - 1) < 1e-12, "after \(context), order \(order + 1)")
            }
        }
    }

    @Test func theTrainingPartIsCountedWhereTheTextIsTheModelsOwn() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(1)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        // The fixture does not say what it read.
        let checkpoint = try Checkpoint(contentsOf: folder.file("m.safetensors"))
        let (text, other) = (try corpus(sampleText), try corpus(sampleText + "more"))
        var record = try #require(checkpoint.training)
        record.corpus.sha256 = text.sha256
        record.corpus.validationFraction = 0.1
        let model = LanguageModel(
            Checkpoint(
                configuration: checkpoint.configuration, vocabulary: checkpoint.vocabulary,
                parameters: checkpoint.parameters, training: record, state: nil))
        let own = try Baseline(text, for: model)
        #expect(own.isTrainingPart && own.symbols == Int(0.9 * Double(text.count)))
        let whole = try Baseline(other, for: model)
        #expect(!whole.isTrainingPart && whole.symbols == other.count)
        let (a, b) = (own.evaluate(text), whole.evaluate(text))
        #expect(a.count == 8 && a.allSatisfy { $0.tokens == text.count })
        // What was counted is predicted better, and more of it is better still.
        #expect(b[7].nats < a[7].nats && a[7].nats < a[0].nats)
        // A fresh state at each line cannot help.
        #expect(own.evaluate(text, state: .line)[7].nats > a[7].nats)
    }
}
