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

/// Ranks and entropies, and dynamic evaluation.
@Suite struct MeasureTests {
    private func model(_ text: String, records: RecordSeparator? = nil, hidden: Int = 12) throws -> (
        LanguageModel, Corpus
    ) {
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")], records: records)
        let data = try TrainingData(corpus, fraction: 0)
        let configuration = try ModelConfiguration(
            cell: .gru, hidden: hidden, embedding: 4, vocabularySize: data.vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 4)
        let checkpoint = Checkpoint(
            configuration: configuration, vocabulary: data.vocabulary, parameters: parameters, training: nil, state: nil
        )
        return (LanguageModel(checkpoint), corpus)
    }

    /// The predictions, of one part and of many (which run side by side), against the logits of a plain pass.
    @Test(arguments: [nil, RecordSeparator.line]) func predictionsAreThoseOfTheLogits(records: RecordSeparator?) throws
    {
        let (model, corpus) = try model(String(repeating: "the quick brown\nfox jumps\n", count: 400), records: records)
        var found: [Surprisal] = []
        let evaluation = try model.evaluate(corpus, threads: 2, perSymbol: { found.append($0) })
        #expect(found.count == evaluation.total.likelihood.tokens)
        let text = EncodedText(corpus, vocabulary: model.vocabulary)
        let shard = Shard<Float>(model.configuration, lanes: 1, steps: 300, learns: false)
        let lane = [Lane(origin: 0, scored: 0..<text.count, startsFresh: false)]
        _ = shard.input.fill(lane, of: text, first: 0, steps: 300)
        shard.forward(model.network, steps: 300)
        for step in 0..<300 {
            let row = shard.logits.view.rows(step..<step + 1).elements.map(Double.init)
            let highest = row.max()!
            let sum = row.reduce(0) { $0 + exp($1 - highest) }
            let p = row.map { exp($0 - highest) / sum }
            let target = Int(shard.input.targets.view[0, step])
            let prediction = found[step].prediction
            // Neighbours whose probabilities differ in rounding only may swap.
            let rank = 1 + p.indices.count { $0 != target && p[$0] > p[target] }
            #expect(abs(prediction.rank - rank) <= 1)
            let entropy = p.reduce(0) { $0 - $1 * log($1) }
            #expect(abs(prediction.entropy - entropy) < 1e-4)
            let best = p.indices.sorted { p[$0] > p[$1] }
            for place in 0..<5 {
                #expect(abs(Double(prediction.likeliest[place].probability) - p[best[place]]) < 1e-5)
            }
            #expect(abs(found[step].nats + log(p[target])) < 1e-4)
        }
        // Offsets are where the symbols stand.
        let bytes = Array(String(repeating: "the quick brown\nfox jumps\n", count: 400).utf8)
        for one in found { #expect((one.symbol?.bytes ?? [0x0A]) == [bytes[one.offset]]) }
    }

    /// Probabilities too small for the gradient's rounding still have an order.
    @Test func ranksReachToTheLeastLikely() {
        let logits: [Float] = [0, -30, -20, -40, -25]
        let sum = logits.reduce(0.0) { $0 + exp(Double($1)) }
        for (target, rank) in [(0, 1), (2, 2), (4, 3), (1, 4), (3, 5)] {
            let row = Matrix<Float>(rows: 1, columns: 5)
            for id in 0..<5 { row.view[0, id] = Float(exp(Double(logits[id])) / sum) - (id == target ? 1 : 0) }
            let nats = log(sum) - Double(logits[target])
            withExtendedLifetime(row) {
                #expect(Prediction(row.view, target: Int32(target), nats: nats).rank == rank)
            }
        }
    }

    @Test func dynamicEvaluationIsTheStaticOneWhereNothingMoves() throws {
        let (model, corpus) = try model(String(repeating: "the quick brown\nfox jumps\n", count: 60))
        let fixed = try model.evaluate(corpus).total.likelihood
        let still = try model.evaluateDynamically(corpus, rates: DynamicRates(learningRate: 0, decay: 0.5))
        #expect(still.tokens == fixed.tokens && abs(still.nats / fixed.nats - 1) < 1e-5)
        // A text that repeats itself is learned as it is read, whatever the number of threads; the model stays what it was.
        let before = model.network.parameters.elements
        let rates = DynamicRates(learningRate: 0.005, decay: 0.001)
        let followed = try model.evaluateDynamically(corpus, rates: rates)
        #expect(followed.nats < 0.8 * fixed.nats)
        #expect(try model.evaluateDynamically(corpus, rates: rates, threads: 2) == followed)
        #expect(model.network.parameters.elements == before)
        #expect(throws: EvaluationError.cancelled) { try model.evaluateDynamically(corpus, isCancelled: { true }) }
    }

    /// Nothing may be scored after it was learned from: on symbols without any order, following cannot help.
    @Test func dynamicEvaluationDoesNotPeek() throws {
        var generator = SplitMix64(seed: 2)
        let letters = (0..<6_000).map { _ in "abcdefgh".randomElement(using: &generator)! }
        let (model, corpus) = try model(String(letters))
        let followed = try model.evaluateDynamically(corpus, rates: DynamicRates(learningRate: 0.002, decay: 0.001))
        #expect(followed.nats / 6_000 > log(8.0) - 0.01)
    }

    @Test func whatComesLaterChangesNothingBefore() throws {
        let start = String(repeating: "the quick brown\nfox jumps\n", count: 20)
        let (model, _) = try model(start)
        func nats(_ rest: String) throws -> Double? {
            let corpus = try Corpus(reading: [.bytes(Array((start + rest).utf8), name: "t")])
            let text = EncodedText(corpus, vocabulary: model.vocabulary)
            let evaluation = DynamicEvaluation(
                text, model.configuration, model.network.parameters, workers: Workers(count: 1))
            return evaluation.nats(rates: DynamicRates(learningRate: 0.005, decay: 0.001), symbols: start.count)
        }
        let alone = try #require(try nats(""))
        #expect(try nats("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") == alone && nats(start) == alone)
    }

    @Test func decayGoesBackToTheTrainedWeights() throws {
        // With a decay that undoes every step but the last, a text scores nearly as it does without any.
        let (model, corpus) = try model(String(repeating: "the quick brown\nfox jumps\n", count: 60))
        let fixed = try model.evaluate(corpus).total.likelihood.nats
        func nats(_ decay: Double) throws -> Double {
            try model.evaluateDynamically(
                corpus, rates: DynamicRates(learningRate: 0.005, decay: decay)
            ).nats
        }
        let (free, held) = (try nats(0), try nats(1e9))
        #expect(free < 0.8 * fixed && held > 0.9 * fixed && held < 1.1 * fixed)
    }

    @Test func ratesAreTunedToTheBestTried() throws {
        let (model, corpus) = try model(String(repeating: "the quick brown\nfox jumps\n", count: 60))
        var tried: [(DynamicRates, Double)] = []
        let best = try model.tuneDynamicRates(corpus, observe: { tried.append(($0, $1)) })
        #expect(tried.count == 10 && tried.min { $0.1 < $1.1 }?.0 == best)
        let nats = try model.evaluateDynamically(corpus, rates: best).nats
        #expect(abs(nats / Double(corpus.count) - tried.map(\.1).min()!) < 1e-9)
    }
}
