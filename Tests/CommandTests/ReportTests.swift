import CharacterModel
import Foundation
import TestSupport
import Testing
import Tokenization

@testable import Reports
@testable import Training

/// Reports take values and give text, without a process or a file.
@Suite("Reports")
struct ReportTests {
    private func model(_ folder: TemporaryFolder) throws -> LanguageModel {
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(3)
        (fixture.weightDropout, fixture.options.clip) = (0.25, 0.75)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        return try LanguageModel(contentsOf: folder.file("m.safetensors"))
    }

    @Test("A model card shows every option that its cell uses, as it is declared")
    func card() throws {
        let model = try model(try TemporaryFolder())
        let rows = ModelCard(model, path: "m", bytes: 1_234_567).rows
        #expect(Set(rows.map(\.name)).count == rows.count)
        let setup = TrainingSetup(
            configuration: model.configuration, vocabulary: model.vocabulary, record: try #require(model.training))
        let options = TrainingOptions(setup)
        for option in OptionList.all {
            let row = rows.first { $0.name == option.name.replacing("-", with: " ") }
            #expect(row?.value == (option.name == "nonlinearity" ? nil : option.text(in: options)), "\(option.name)")
        }
        #expect(printable("fox\n\u{1B}[31m\u{2028}é") == "fox\\n\\u{1B}[31m\\u{2028}é")
        #expect(rows.contains { $0 == ("weight dropout", "0.25") } && rows.contains { $0 == ("clip", "0.75") })
        #expect(rows.contains { $0 == ("steps", "3") } && rows.contains { $0 == ("file", "1.2 MB") })
        let text = columns(rows)
        #expect(text.split(separator: "\n").count == rows.count && text.hasSuffix("\n"))
    }

    @Test("A page of curves draws the lines of metrics, and escapes everything that is not text")
    func curves() {
        let steps = (1...40).map { step in
            MetricsLine.step(
                StepReport(
                    step: 10 * step, epoch: 1, tokens: 1, seconds: 1, trainNats: 3 - Double(step) / 20,
                    learningRate: 0.01, gradientNorm: 0.5, tokensPerSecond: 1e5))
        }
        let validation = MetricsLine.validation(
            ValidationReport(step: 400, epoch: 1, seconds: 1, nats: 1.2345, bitsPerCharacter: 2, isExact: false))
        let page = TrainingReport([("<a&b>", steps + [validation]), ("other", steps)]).page()
        #expect(page.contains("&lt;a&amp;b&gt;: 1.2345 nats") && !page.contains("<a&b>"))
        #expect(page.count(of: "<polyline") == 8 && page.count(of: "<circle") == 1)
        #expect(!page.contains("http://") && !page.contains("https://"))
    }

    @Test("A table of surprisals has one line for each symbol, and no symbol can break a line")
    func table() throws {
        let model = try model(try TemporaryFolder())
        let text = "a\tb\n\"\\\u{7F}"
        let corpus = try Corpus(
            reading: [.bytes(Array(text.utf8), name: "x\ty")], unit: model.vocabulary.unit,
            normalization: model.vocabulary.normalization)
        let table = SurprisalTable(files: corpus.files.map(\.name))
        var lines: [String] = []
        _ = try model.evaluate(corpus, perSymbol: { lines.append(table.line($0)) })
        #expect(lines.count == corpus.count)
        let columns = SurprisalTable.header.count { $0 == "\t" }
        for line in lines {
            #expect(line.count { $0 == "\t" } == columns && line.count { $0 == "\n" } == 1, "\(line)")
        }
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
