import Concurrency
import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel
@testable import Training

@Suite("Recommended shapes")
struct RecommendationTests {
    private func recommendation(
        _ symbols: Int, _ budget: TrainingBudget, _ precision: Precision = .float32, cell: CellKind? = .gru,
        speed: TrainingSpeed? = nil, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) -> Recommendation {
        var options = TrainingOptions()
        (options.budget, options.precision, options.cell) = (budget, precision, cell)
        change(&options)
        return Recommendation(
            symbols: symbols, vocabularySize: 67, options: options, speed: speed)
    }

    @Test("With steps or epochs, no clock decides anything, and equal budgets get equal shapes")
    func budgets() {
        let epochs = recommendation(1_024_000, .epochs(4))
        #expect(epochs == recommendation(1_024_000, .steps(4_000)))
        #expect(epochs == recommendation(1_024_000, .epochs(4), .bfloat16))
        for speed in [1e6, 1e9, 1e15] {
            #expect(
                epochs == recommendation(1_024_000, .epochs(4), speed: TrainingSpeed(weightsPerSecond: speed)))
        }
    }

    @Test("With a time limit, a machine that is as many times as fast chooses as one that has as much more time")
    func speed() {
        for seconds in [1.0, 20, 180, 3_600] {
            for symbols in [10_000, 1_000_000, 100_000_000] {
                var sizes: [Int] = []
                for times in [0.1, 1, 10, 100] {
                    let one = recommendation(
                        symbols, .seconds(seconds), speed: TrainingSpeed(weightsPerSecond: 4e10 * times))
                    let other = recommendation(
                        symbols, .seconds(seconds * times), speed: TrainingSpeed(weightsPerSecond: 4e10))
                    #expect(one.layers == other.layers && one.hidden == other.hidden)
                    #expect(one.ngramEmbedding == other.ngramEmbedding && one.dropout == other.dropout)
                    #expect(abs(one.read / other.read - 1) < 1e-9)
                    sizes.append(one.layers * one.hidden * one.hidden)
                }
                // Larger, unless the slowest can afford the largest.
                let grows = sizes[0] < sizes[3] || sizes[0] == 512 * 512
                #expect(sizes == sizes.sorted() && grows, "\(seconds) s, \(symbols) symbols: \(sizes)")
            }
        }
    }

    @Test("More time is for more units, then for an LSTM; long n-grams are for long texts")
    func time() {
        let brief = recommendation(1_000_000, .seconds(20), .bfloat16)
        let long = recommendation(1_000_000, .seconds(600), .bfloat16)
        #expect(brief.hidden < long.hidden && brief.ngramEmbedding == 4 && long.ngramEmbedding == 0)
        #expect(recommendation(5_000_000, .seconds(60), .bfloat16).ngramEmbedding == 5)
        let cells = [20.0, 600].map { recommendation(1_000_000, .seconds($0), .bfloat16, cell: nil).cell }
        #expect(cells == [.gru, .lstm])
        #expect(recommendation(1_000_000, .seconds(600), cell: .rnn).cell == .rnn)
        // Short texts, and those that are often read, are known by heart; but what is asked for is done.
        #expect(recommendation(70_000, .seconds(20)).ngramEmbedding == 0)
        #expect(recommendation(1_000_000, .epochs(20)).ngramEmbedding == 4)
        #expect(recommendation(1_000_000, .epochs(30)).ngramEmbedding == 0)
        #expect(recommendation(70_000, .seconds(20)) { $0.ngramDropout = 0.2 }.ngramEmbedding == 4)
        #expect(recommendation(70_000, .seconds(20)) { $0.ngramEmbedding = 3 }.ngramEmbedding == 3)
    }

    @Test("What is set stays, and the rest suits it")
    func given() {
        let large = recommendation(1_000_000, .steps(1_000)) { ($0.hidden, $0.layers) = (2_000, 3) }
        #expect(large.hidden == 2_000 && large.layers == 3)
        let two = recommendation(1_000_000, .steps(1_000)) { $0.layers = 2 }
        #expect(two.layers == 2)
        let small = recommendation(1_000_000, .seconds(60)) { $0.hidden = 30 }
        // It reads the text more often than a large one would.
        let usual = recommendation(1_000_000, .seconds(60)) { $0.hidden = 1_000 }
        #expect(small.read > 10 * usual.read)
        #expect(recommendation(100_000, .epochs(50)) { $0.tied = true }.isTied)
        #expect(recommendation(100_000, .epochs(50), cell: .mingru).weightDropout == 0)
    }

    @Test("A shape that does not fit the memory is not chosen; if none does, the smallest is")
    func memory() throws {
        var options = TrainingOptions()
        (options.budget, options.ngramEmbedding) = (.seconds(3_600), 0)
        func hidden(_ limit: Int) -> Int {
            Recommendation(
                symbols: 10_000_000, vocabularySize: 67, options: options,
                fits: { $0.parameterCount <= limit }
            ).hidden
        }
        #expect(hidden(.max) > hidden(500_000) && hidden(500_000) > hidden(100_000))
        #expect(hidden(0) == 64)
    }

    @Test(
        "With steps, free memory decides nothing; every cell and input has a finite cost", arguments: CellKind.allCases)
    func cells(cell: CellKind) throws {
        for embedding in [nil, cell.cell.needsEmbedding ? 8 : 0] as [Int?] {
            var options = TrainingOptions()
            (options.cell, options.budget, options.embedding) = (cell, .steps(2), embedding)
            let small = Recommendation(symbols: 30_000, vocabularySize: 67, options: options) { _ in false }
            #expect(small.hidden <= 128 && small.layers == 1, "\(small)")
            #expect(small == Recommendation(symbols: 30_000, vocabularySize: 67, options: options))
            options.budget = .seconds(3_600)
            let large = Recommendation(symbols: 30_000_000, vocabularySize: 67, options: options)
            #expect(large.hidden >= 384, "\(large)")
        }
    }

    @Test("Dropout grows with the passes over a text, and has bounds")
    func dropout() {
        for (symbols, hidden) in [(100_000, 128), (100_000, 512), (5_000_000, 512)] {
            let often = [1, 4, 16, 64, 100_000].map { epochs in
                recommendation(symbols, .epochs(epochs)) {
                    ($0.hidden, $0.layers, $0.ngramEmbedding) = (hidden, 1, 4)
                }
            }
            for values in [often.map(\.dropout), often.map(\.weightDropout)] {
                #expect(values == values.sorted() && values[0] == 0 && values[3] > 0 && values[4] <= 0.5)
            }
            let ngrams = often.map(\.ngramDropout)
            #expect(ngrams == ngrams.sorted() && ngrams[3] > ngrams[0] && ngrams[4] == 0.5)
            #expect(often.last?.warmup == 100)
        }
        #expect(recommendation(10_000, .steps(300)).warmup == 30 && recommendation(10_000, .steps(1)).warmup == 1)
    }

    // MARK: Speed

    @Test("The symbols of a second are in inverse proportion to the weights")
    func symbols() throws {
        let speed = TrainingSpeed(weightsPerSecond: 1e10)
        let models = try [64, 256, 1_024].map {
            try ModelConfiguration(hidden: $0, embedding: 16, ngramEmbedding: 3, vocabularySize: 50)
        }
        // Rows of tables and biases take no time.
        #expect(models[0].usedWeights == 3 * 64 * (64 + 16) + 50 * 64)
        let each = models.map { speed.symbolsPerSecond($0) }
        #expect(speed.symbolsPerSecond(try ModelConfiguration(hidden: 64, embedding: 16, vocabularySize: 50)) > each[0])
        #expect(each == each.sorted(by: >) && each[2] > 1e10 / 3_500_000 && each[2] < 1e10 / 3_200_000)
        #expect(abs(speed.times(3).symbolsPerSecond(models[1]) / each[1] - 3) < 1e-9)
        let usual = [Precision.float32, .bfloat16].map { TrainingSpeed.usual($0).weightsPerSecond }
        #expect(usual[1] > usual[0])
    }

    @Test("The speed of this machine is measured with any batch and window")
    func measured() throws {
        for (batch, window) in [(1, 1), (16, 64), (60_000, 60_000)] {
            var options = TrainingOptions()
            (options.batch, options.window) = (batch, window)
            let speed = try TrainingSpeed.measured(options, vocabularySize: 30, threads: 2)
            #expect(speed.weightsPerSecond.isFinite && speed.weightsPerSecond > 0)
        }
    }

    // MARK: Expectations

    private func data(_ text: String, fraction: Double = 0.2) throws -> TrainingData {
        try TrainingData(Corpus(reading: [.bytes(Array(text.utf8), name: "t")]), fraction: fraction)
    }

    @Test(
        "More time and an easier text promise less loss; without a validation nothing is promised", arguments: [0, 4])
    func expectation(ngrams: Int) throws {
        let text = String(repeating: sampleText, count: 8)
        let model = try ModelConfiguration(hidden: 128, embedding: 32, ngramEmbedding: ngrams, vocabularySize: 60)
        func expected(_ data: TrainingData, _ steps: Int) -> Forecast? {
            var options = TrainingOptions()
            options.budget = .steps(steps)
            return Forecast(model, options: options, data: data, threads: 2)
        }
        let data = try data(text)
        let nats = try [10, 100, 1_000].map { steps in try #require(expected(data, steps)).nats }
        #expect(nats == nats.sorted(by: >))
        let one = try #require(expected(data, 100))
        #expect(abs(one.bitsPerCharacter - one.nats / log(2)) < 1e-12)
        // The same letters in disorder.
        let places = text.indices.enumerated().sorted {
            ($0.offset * 7_919 % 1_009, $0.offset) < ($1.offset * 7_919 % 1_009, $1.offset)
        }
        let mixed = String(places.map { text[$0.element] })
        #expect(try #require(expected(try self.data(mixed), 100)).nats > one.nats + 0.5)
        #expect(expected(try self.data(text, fraction: 0), 100) == nil)
    }

    @Test("What a validation promises is less than itself, and the nearer the end, the less")
    func end() throws {
        let ends = try [0.4, 0.5, 0.9].map { try #require(Forecast.end(after: 2, progress: $0)) }
        #expect(ends == ends.sorted() && ends[2] < 2 && ends[0] > 1.8)
        #expect(try #require(Forecast.end(after: 2, progress: 0.4, isMixed: true)) > ends[0])
        #expect(Forecast.end(after: 2, progress: 0.1) == nil && Forecast.end(after: 2, progress: 1) == nil)
        #expect(try #require(Forecast.end(after: 0.01, progress: 0.4)) > 0)
    }

    @Test("No text is expected to cost less than nothing")
    func easyText() throws {
        let data = try data(String(repeating: "a", count: 3_000))
        let model = try ModelConfiguration(hidden: 128, embedding: 32, vocabularySize: 3)
        var options = TrainingOptions()
        options.budget = .epochs(1_000_000)
        #expect(try #require(Forecast(model, options: options, data: data)).nats >= 0)
    }

    @Test("The difficulty of a text is its nats under Kneser-Ney n-grams")
    func difficulty() throws {
        let data = try data(sampleText)
        let validation = try #require(data.validation)
        let reference = KneserNey(data.training, vocabulary: data.vocabulary).nats(of: validation).last!
        let workers = Workers(count: 2)
        let found = try #require(Forecast.difficulty(of: data, using: workers))
        // Counts know no beginnings of a text that begins once.
        #expect(abs(found / (reference / Double(validation.count)) - 1) < 0.01)
        // Blocks that are spread over a long text say about the same as all of it.
        let counts = NGramCounts(data.training, vocabulary: data.vocabulary, bytes: .max, seed: 1)
        let whole = counts.meanNats(of: data.training, using: workers)
        let part = counts.meanNats(of: data.training, within: 1_000 * Double(data.vocabulary.count), using: workers)
        #expect(abs(whole - part) < 0.3 * whole && whole != part)
    }
}
