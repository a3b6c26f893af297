import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Study

@Suite("A study of recurrent networks")
struct StudyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func study(_ text: String, say: @escaping (String) -> Void = { _ in }) throws -> Study {
        try Study(
            of: text, plan: .toy, results: folder.file("study.json"), folder: folder.file("models"), threads: 2,
            program: "test", say: say)
    }

    @Test("It measures every claim; interrupted, it measures the rest; its page has every section in every language")
    func whole() throws {
        let text = try folder.write(String(repeating: sampleText, count: 1 + 8_000 / sampleText.count), to: "text.txt")
        // Stopped after some measurements, as if it had been killed.
        var told: [String] = []
        try study(text) { told.append($0) }.compareCells()
        let before = told
        #expect(before.count == StudyPlan.toy.divisors.count * StudyPlan.cells.count)
        told = []
        let pages = try study(text) { told.append($0) }.run()
        #expect(Set(told).isDisjoint(with: before) && told.count + before.count == pages.count)
        // Nothing is left to measure.
        told = []
        let again = try study(text) { told.append($0) }
        #expect(try again.run() == pages && told.isEmpty)
        for language in StudyText.languages {
            let page = StudyPage(pages, plan: .toy, of: again.subject, in: language).html()
            #expect(page.components(separatedBy: "<h2>").count == 11, "\(language.language)")
            #expect(page.components(separatedBy: "class=verdict").count == 10, "\(language.language)")
            #expect(page.contains("<html lang=\"\(language.language)\">"))
            #expect(!page.contains(/\{\d\}/) && !page.contains("train -"), "a value or a text is missing")
            #expect(!page.contains("class=hint>\(language(.nothing))"), "a picture is empty")
        }
        let other = try folder.write(String(repeating: "other ", count: 1_000), to: "other.txt")
        #expect(throws: StudyError.otherStudy(path: folder.file("study.json"))) { try study(other) }
        // Without those results it is studied, and no part of the first text or its models is taken for its own.
        try FileManager.default.removeItem(atPath: folder.file("study.json"))
        let second = try study(other)
        let model = try #require(try second.model(.gru))
        #expect(try second.heldText(model).symbols.count == Set("other ").count)
        #expect(model.vocabulary.symbols.count == Set("other ").count)
    }

    @Test("The commands that the page shows are understood by train")
    func commands() throws {
        let plan = StudyPlan.toy
        let cases =
            StudyPlan.cells.flatMap {
                [
                    plan.comparison($0, units: 9, divisor: 4, seed: 1), plan.recall($0, units: 9, lag: 8, seed: 1),
                    plan.cost($0),
                ]
            } + StudyPlan.clips.map { plan.explosion(clip: $0.clip) }
            + StudyPlan.dropouts.map { plan.overfitting(dropout: $0.dropout, weightDropout: $0.weightDropout) }
            + [plan.variation(width: 8, rate: 0.03), plan.speed(batch: 16)]
        for one in cases {
            let words = one.command(on: "a.txt --threads 2").split(separator: " ").map(String.init)
            #expect(throws: Never.self, "\(words)") { _ = try Train.parse(Array(words.dropFirst())) }
        }
    }

    @Test("A text that is too short for a study is refused")
    func short() throws {
        let text = try folder.write("short", to: "text.txt")
        #expect(throws: StudyError.tooShort(symbols: 5, needed: 4_000)) { try study(text) }
    }

    @Test("Results are JSON: what was studied, and lists of numbers by measurement")
    func form() throws {
        let path = folder.file("n.json")
        let subject = Notebook.Subject(plan: "toy", text: "t", sha256: "0", threads: 1, program: "p")
        let page: Notebook.Page = ["nats": [1.5, .infinity]]
        #expect(try Notebook(at: path, about: subject).page("a") { page } == page)
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        let expected: NSDictionary = [
            "study": ["plan": "toy", "text": "t", "sha256": "0", "threads": 1, "program": "p"],
            "results": ["a": ["nats": [1.5, "inf"]]],
        ]
        #expect(json as? NSDictionary == expected)
        struct Measured: Error {}
        #expect(try Notebook(at: path, about: subject).page("a") { throw Measured() } == page)
        let bad = try folder.write("{}", to: "bad.json")
        #expect(throws: StudyError.unreadable(path: bad)) { try Notebook(at: bad, about: subject) }
    }

    @Test("The command of a training has every setting of it")
    func command() {
        let plan = StudyPlan.toy
        #expect(
            plan.comparison(.lstm, units: 20, divisor: 1, seed: 7).command(on: "a.txt") == """
                train a.txt --cell lstm --layers 1 --hidden 20 --embedding 32 --ngram-embedding 0 --no-tied --dropout 0 \
                --weight-dropout 0 --no-counts --time-limit 0.3 --precision float32 --seed 7
                """)
        let explosion = plan.explosion(clip: 0.25).command(on: "a.txt")
        for flag in ["--cell rnn", "--optimizer sgd", "--learning-rate 4", "--clip 0.25", "--schedule constant"] {
            #expect(explosion.contains(flag), "\(flag)")
        }
        #expect(plan.recall(.rnn, units: 9, lag: 100, seed: 1).command(on: "r.txt").contains("--window 206"))
    }
}
