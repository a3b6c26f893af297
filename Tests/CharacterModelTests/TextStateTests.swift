import CharacterModel
import TestSupport
import Testing
import Tokenization
import Training

@Suite("States of texts")
struct TextStateTests {
    private static let text = "The scribe wrote of bread and rain; and again of bread, then of the river"

    /// A trained model with n-grams, whose states hold more than those of the network.
    private static func counted(records: String = "none") throws -> LanguageModel {
        var options = TrainingOptions()
        (options.hidden, options.budget, options.counts, options.records) = (12, .steps(20), true, records)
        let lines = String(repeating: "the scribe wrote\nbread and rain\nand again the river\n", count: 60)
        let data = try TrainingData(reading: [.bytes(Array(lines.utf8), name: "lines")], options: options)
        let folder = try TemporaryFolder()
        let path = folder.file("counted.safetensors")
        _ = try Trainer(on: data, options: options, output: .init(path: path)).run()
        return try LanguageModel(contentsOf: path)
    }

    private func models() throws -> [LanguageModel] {
        let fixed = try ["v1-lstm", "v1-gru", "v1-rnn"].map {
            try LanguageModel(contentsOf: fixture("\($0).safetensors"))
        }
        return try fixed + [Self.counted()]
    }

    @Test(
        "A text that is read in slices, or on from a copy, leaves the same state to the bit", arguments: [false, true])
    func slices(isExact: Bool) throws {
        for model in try models() {
            let ids = try model.symbols(of: Array(Self.text.utf8))
            let whole = TextState(model, isExact: isExact)
            whole.read(ids)
            for size in [1, 7, 64] {
                var state = TextState(model, isExact: isExact)
                for start in stride(from: 0, to: ids.count, by: size) {
                    let before = state
                    state = state.copy()
                    state.read(ids[start..<min(start + size, ids.count)])
                    // The original goes elsewhere, which must not matter to the copy.
                    before.read([0, 1])
                }
                #expect(state.logProbabilities == whole.logProbabilities, "in slices of \(size)")
            }
        }
    }

    @Test("A generator that goes on from a state writes what one with the whole prompt writes")
    func generators() throws {
        for model in try models() {
            let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: .everything)
            let penalty = try RepetitionPenalty(1.2)
            let whole = try model.generator(prompt: Self.text, strategy: strategy, penalty: penalty, seed: 3, stream: 2)
            let ids = try model.symbols(of: Array(Self.text.utf8))
            let state = TextState(model)
            state.read(ids.prefix(20))
            state.read(ids.dropFirst(20))
            let later = TextGenerator(
                after: state.copy(), symbols: ids, strategy: strategy, penalty: penalty, seed: 3, stream: 2)
            #expect(Array(whole.prefix(50)) == Array(later.prefix(50)))
            // What was read counts for rules: after the last symbol, the likeliest next one is banned.
            let greedy = TextGenerator(after: state.copy(), symbols: ids, strategy: .greedy, seed: 0)
            let likeliest = try #require(greedy.next()).symbol.text
            let rules = try SymbolRules(
                bans: [String(Self.text.last!) + likeliest], biases: [], vocabulary: model.vocabulary)
            let banned = TextGenerator(after: state.copy(), symbols: ids, strategy: .greedy, rules: rules, seed: 0)
            #expect(banned.next()?.symbol.text != likeliest)
        }
    }

    @Test("A text scored in slices, from any symbol on, has the figures of the evaluation")
    func scores() throws {
        for model in try models() + [Self.counted(records: "line")] {
            let corpus = try model.corpus(reading: [.text(Self.text + " ☃\nand the rest\n")])
            var expected: [Surprisal] = []
            _ = try model.evaluate(corpus, perSymbol: { expected.append($0) })
            for (start, size) in [(0, 1_000), (0, 5), (30, 7), (70, 3), (expected.count, 1)] {
                let scorer = try TextScorer(corpus, of: model)
                let beginning = scorer.beginning(of: start)
                let state = TextState(model, isExact: true)
                state.read(scorer.ids[beginning..<start])
                scorer.move(to: start, state)
                var scores: [TextScorer.Score] = []
                while scorer.position < scorer.ids.count { scores += scorer.next(size) }
                #expect(scores.count == expected.count - start)
                for (score, other) in zip(scores, expected[start...]) {
                    #expect(score.symbol == other.symbol && abs(score.nats - other.nats) < 2e-4 * max(1, other.nats))
                    #expect(abs(score.prediction.entropy - other.prediction.entropy) < 1e-3)
                    #expect(
                        abs(score.prediction.likeliest[0].probability - other.prediction.likeliest[0].probability)
                            < 1e-4)
                }
            }
        }
    }
}
