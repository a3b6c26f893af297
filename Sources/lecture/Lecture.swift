import ArgumentParser
import CharacterModel
import CommandSupport
import LinearAlgebra
import Reports
import Study
import Tokenization

/// Measures what a lecture says of recurrent networks, and writes the page that `make lecture` shows.
@main
struct Lecture: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lecture",
        abstract: "Measure what a lecture says of recurrent networks.",
        discussion: "A study that is interrupted goes on where it was.")

    @Argument(help: "The text.") var text: String?
    @Option(help: "How much is measured: toy, lesson or full.") var plan = "lesson"
    @Option(help: "The language of the page: en or es.") var language = "en"
    @Option(help: "The page. Results are kept beside it, as .json; models in a folder beside it.")
    var output = "lecture.html"
    @Option(help: "Writes lines of the recall task with this lag instead.") var recall: Int?
    @Option(help: "With --recall: the share of the letters that this model recalls, in lines that are new to it.")
    var score: String?
    @OptionGroup var threading: ThreadOptions

    static func main() { runAndExit() }

    func validate() throws {
        if recall == nil && text == nil { throw ValidationError("which text?") }
        if score != nil && recall == nil { throw ValidationError("--score needs the lag of the task: --recall") }
        if let recall, !(1...100_000).contains(recall) { throw ValidationError("--recall is from 1 to 100000") }
        guard StudyPlan.all.contains(where: { $0.name == plan }) else {
            throw ValidationError("--plan \(plan): there are \(StudyPlan.all.map(\.name).joined(separator: ", "))")
        }
        guard StudyText.languages.contains(where: { $0.language == language }) else {
            throw ValidationError(
                "--language \(language): there are \(StudyText.languages.map(\.language).joined(separator: ", "))")
        }
        guard output.hasSuffix(".html") else { throw ValidationError("--output \(output): it must end in .html") }
    }

    func run() throws {
        if let recall { return try write(recall) }
        try refuseOverwriting(TextSource.sources(at: text.map { [$0] } ?? []), with: [output, stem + ".json"])
        do { try study() } catch let error as StudyError { throw UsageError("\(error)") }
    }

    private var stem: String { String(output.dropLast(5)) }

    /// Lines of the recall task, or how well a model does it.
    private func write(_ lag: Int) throws {
        guard let score else { return try StandardOutput.write(RecallTask.text(lag: lag)) }
        let model = try LanguageModel(contentsOf: score)
        let share = try RecallTask.accuracy(of: model, lag: lag, threads: threading.count)
        try StandardOutput.write("recalled: \(formatted(share * 100, decimals: 1)) % (by chance: 12.5 %)\n")
    }

    private func study() throws {
        guard let text, let plan = StudyPlan.all.first(where: { $0.name == plan }),
            let language = StudyText.languages.first(where: { $0.language == language })
        else { return }
        let study = try Study(
            of: text, plan: plan, results: stem + ".json", folder: stem + ".models", threads: threading.count,
            program: "\(escribaVersion), \(KernelLevel.inUse)"
        ) { StandardError.print("measuring: \($0)") }
        let page = StudyPage(try study.run(), plan: plan, of: study.subject, in: language)
        try AtomicFile.replace(output, with: page.html())
        StandardError.print("page: \(output); results: \(stem).json")
    }
}
