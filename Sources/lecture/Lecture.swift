import ArgumentParser
import CharacterModel
import CommandSupport
import Concurrency
import Study

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
    @OptionGroup var threading: ThreadOptions

    static func main() { runAndExit() }

    func validate() throws {
        if recall == nil && text == nil { throw ValidationError("which text?") }
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
        if let recall { return try StandardOutput.write(RecallTask.text(lag: recall)) }
        guard let text, let plan = StudyPlan.all.first(where: { $0.name == plan }),
            let language = StudyText.languages.first(where: { $0.language == language })
        else { return }
        let stem = String(output.dropLast(5))
        let study = try Study(
            of: text, plan: plan, results: stem + ".json", folder: stem + ".models", threads: threading.count
        ) { StandardError.print("measuring: \($0)") }
        let page = StudyPage(try study.run(), plan: plan, of: study.subject, in: language)
        try AtomicFile.replace(output, with: page.html())
        StandardError.print("page: \(output); results: \(stem).json")
    }
}
