import Foundation
import TestSupport
import Testing

@Suite("lecture")
struct LectureCommandTests {
    @Test("A text that is too short, results of another study, and a page over its text are refused in one line")
    func refused() throws {
        let folder = try TemporaryFolder()
        let (short, page) = (try folder.write("short", to: "short.txt"), folder.file("page.html"))
        for (text, output, said) in [
            (short, page, "the text has 5 symbols; a study needs at least 4000"),
            (try folder.write(sampleText, to: "page.html"), page, "would overwrite"),
            (folder.file("none.txt"), page, "none.txt"),
        ] {
            let result = try Commands.run("lecture", [text, "--plan", "toy", "--output", output])
            #expect(result.status != 0 && result.error.contains(said), "\(result.error)")
            #expect(result.error.split(separator: "\n").count == 1 && !result.error.contains("report this"))
        }
        #expect(try String(contentsOfFile: page, encoding: .utf8) == sampleText)
        _ = try folder.write("{}", to: "other.json")
        let text = try folder.write(String(repeating: "text ", count: 1_000), to: "text.txt")
        let other = try Commands.run("lecture", [text, "--plan", "toy", "--output", folder.file("other.html")])
        #expect(other.error.contains("other.json does not hold the results of a study; move it away"))
        #expect(try String(contentsOfFile: folder.file("other.json"), encoding: .utf8) == "{}")
    }

    @Test("Lines of the recall task are written, and a model is scored on others")
    func recall() throws {
        let folder = try TemporaryFolder()
        let lines = try Commands.run("lecture", ["--recall", "2"]).text
        let first = Array(lines.prefix(5))
        #expect(first.count == 5 && first[2] == "?" && first[3] == first[0] && first[4] == "\n", "\(first)")
        let (text, model) = (try folder.write(lines, to: "recall.txt"), folder.file("m.safetensors"))
        #expect(
            try Commands.run("train", [text, "--hidden", "16", "--steps", "300", "--no-counts", "--output", model])
                .status == 0)
        let scored = try Commands.run("lecture", ["--recall", "2", "--score", model])
        #expect(scored.status == 0 && scored.text.contains(/recalled: \d+\.\d % \(by chance: 12\.5 %\)/), "\(scored)")
        #expect(try Commands.run("lecture", ["text.txt", "--score", model]).error.contains("--recall"))
    }
}
