import CharacterModel
import Foundation
import TestSupport
import Testing
import Tokenization
import Training

/// Trainings that count n-grams beside the network.
@Suite struct CountTrainingTests {
    private func fixture() -> TrainingFixture {
        var fixture = TrainingFixture(text: sampleText + sampleText.uppercased() + sampleText)
        fixture.cell = .gru
        fixture.counts = true
        fixture.options.budget = .steps(12)
        fixture.options.evaluateEvery = 4
        return fixture
    }

    /// Lines of which some come again and again.
    private static let lines: String = {
        let lines = sampleText.split(separator: "\n")
        return (0..<2_000).map { index in
            index % 5 == 0
                ? "the refrain" : "\(index * index % 97) \(lines[index % lines.count].prefix(30 + index % 40))"
        }.joined(separator: "\n") + "\n"
    }()

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test("A stopped and resumed training makes the same model, with any number of threads")
    func resuming() throws {
        let folder = try TemporaryFolder()
        var fixture = fixture()
        _ = try fixture.run(output: folder.file("a.safetensors"))
        fixture.threads = 3
        _ = try fixture.run(output: folder.file("b.safetensors"), stopAfter: 6)
        _ = try fixture.run(output: folder.file("b.safetensors"), resuming: folder.file("b.last.safetensors"))
        let models = try ["a", "b"].map { try LanguageModel(contentsOf: folder.file("\($0).safetensors")) }
        #expect(models[0].hasCounts && models[0].fingerprint == models[1].fingerprint)
        // The resumable state is the network's alone.
        #expect(try !LanguageModel(contentsOf: folder.file("a.last.safetensors")).hasCounts)
    }

    @Test("The network learns the same with and without a mixture, from the same text")
    func network() throws {
        let folder = try TemporaryFolder()
        var reports: [[ValidationReport]] = []
        var fixture = fixture()
        for counts in [true, false] {
            fixture.counts = counts
            var found: [ValidationReport] = []
            _ = try fixture.run(output: folder.file("\(counts).safetensors")) {
                if case .validation(let report) = $0 { found.append(report) }
            }
            reports.append(found)
        }
        #expect(reports[0].count == reports[1].count && reports[0].count == 4)
        // After a few steps, the counts know more.
        for (mixed, plain) in zip(reports[0], reports[1]) { #expect(mixed.nats < plain.nats - 0.5) }
        let (mixed, plain) = (
            try LanguageModel(contentsOf: folder.file("true.safetensors")),
            try LanguageModel(contentsOf: folder.file("false.safetensors"))
        )
        #expect(mixed.training?.options.counts == true && plain.training?.options.counts == false)
        let text = try mixed.corpus(reading: [.text("again and again the río wrote")])
        let score = try mixed.evaluate(text)
        let other = try plain.evaluate(text)
        #expect(score.network != nil && other.network == nil)
        // The exact score of the saved model is the validation's.
        let exact = try #require(reports[0].last)
        #expect(exact.isExact && abs(exact.nats / reports[0][2].nats - 1) < 0.02)
    }

    @Test("What the gate learns from is a small part from all over the text, and the network does not see it")
    func held() throws {
        for records in [nil, RecordSeparator.line] {
            var fixture = TrainingFixture(text: Self.lines)
            fixture.records = records
            fixture.counts = true
            let data = try fixture.data()
            let whole = try #require(data.counted)
            #expect(data.heldSymbols > 0 && data.heldSymbols <= whole.count / 25)
            #expect(data.trainingSymbols + data.heldSymbols == whole.count)
            let part = data.held.reduce(into: Set<Int>()) { $0.insert($1.lowerBound * 4 / whole.count) }
            #expect(part.count == 4)
            #expect(zip(data.held, data.held.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
            let held = Set(data.held.flatMap { Array($0) })
            #expect(data.training.ids == whole.ids.enumerated().filter { !held.contains($0.offset) }.map(\.element))
            let kept = whole.ids.indices.filter { !held.contains($0) }
            #expect(data.training.starts.allSatisfy { $0 == 0 || whole.starts.contains(kept[$0]) })
            if records != nil {
                let starts = Set(whole.starts)
                #expect(data.held.allSatisfy { starts.contains($0.lowerBound) && starts.contains($0.upperBound) })
                // What is held is nowhere else.
                let ids = whole.ids
                func record(_ start: Int) -> [Int32] {
                    Array(ids[start..<(whole.starts.first { $0 > start } ?? ids.count)])
                }
                let known = Set(whole.starts.filter { !held.contains($0) }.map(record))
                #expect(data.held.allSatisfy { !known.contains(record($0.lowerBound)) })
            }
        }
        // Too short to give something away.
        var short = TrainingFixture(text: String(sampleText.prefix(3_000)))
        short.counts = true
        #expect(try short.data().heldSymbols == 0)
    }

    @Test("Whether n-grams are counted is a default by the text's size, and an option")
    func recommendation() {
        var options = TrainingOptions()
        #expect(!Recommendation.countsNGrams(options, symbols: 5_000))
        #expect(Recommendation.countsNGrams(options, symbols: 1_000_000))
        options.counts = true
        #expect(Recommendation.countsNGrams(options, symbols: 5_000))
        options.counts = false
        #expect(!Recommendation.countsNGrams(options, symbols: 1_000_000))
    }
}
