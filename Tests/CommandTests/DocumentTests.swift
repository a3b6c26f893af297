import ArgumentParser
import CharacterModel
import CommandSupport
import Foundation
import TestSupport
import Testing
import Tokenization
import Training

@testable import Commands

/// What the documents say is what the commands and the libraries do.
@Suite("Documents")
struct DocumentTests {
    private static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.repository.appending(path: path), encoding: .utf8)
    }

    /// Option names and defaults in the tables of a page: rows that begin with `--name`.
    private func rows(_ page: String) throws -> [(names: [String], cells: [String])] {
        try text(page).split(separator: "\n").filter { $0.hasPrefix("| `--") }.map { row in
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return (cells[0].matches(of: #/`--([a-z-]+)`/#).map { String($0.1) }, cells)
        }
    }

    @Test(
        "A command's page has each of its options, and no other",
        arguments: ["train", "sample", "perplexity", "inspect"])
    func options(command: String) throws {
        let screen = try text("Tests/CommandTests/Help/\(command).txt")
        let known = Set(screen.matches(of: #/(?m)^  (?:-h, )?--([a-z-]+)/#).map { String($0.1) })
        let inverted = Set(screen.matches(of: #/--[a-z-]+/--([a-z-]+)/#).map { String($0.1) })
        let named = try rows("docs/\(command).md").flatMap(\.names)
        #expect(Set(named) == known.union(inverted), "\(Set(named).symmetricDifference(known.union(inverted)))")
        #expect(named.count == Set(named).count)
    }

    @Test("Defaults on the page are those that are declared")
    func defaults() throws {
        let rows = try rows("docs/train.md")
        for option in OptionList.all {
            let row = try #require(rows.first { $0.names.contains(option.name) })
            #expect(row.cells[1] == option.defaultHelp ?? "none", "\(option.name)")
        }
    }

    @Test("Each page has five worked examples, which the commands understand, as do those of the help and the README")
    func examples() throws {
        func check(_ lines: [Substring], _ place: String) throws {
            for line in lines {
                let words = words(of: line).drop { $0 == "escriba" }
                let (name, arguments) = (words.first ?? "", Array(words.dropFirst()))
                let commands: [String: any ParsableCommand.Type] = [
                    "train": Train.self, "sample": Sample.self, "perplexity": Perplexity.self, "inspect": Inspect.self,
                ]
                let command = try #require(commands[name], "\(place): \(line)")
                #expect(throws: Never.self, "\(place): \(line)") { _ = try command.parseAsRoot(arguments) }
            }
        }
        for command in ["train", "sample", "perplexity", "inspect"] {
            let page = try text("docs/\(command).md")
            let part = try #require(page.firstMatch(of: #/(?s)## Examples(.*?)\n## /#)).1
            let lines = part.split(separator: "\n").filter { $0.hasPrefix("    escriba \(command) ") }
            #expect((5...8).contains(lines.count))
            try check(lines, command)
            let screen = try text("Tests/CommandTests/Help/\(command).txt")
            let shown = screen.split(separator: "\n").filter { $0.hasPrefix("  \(command) ") }
            #expect(shown.count >= 4)
            try check(shown, "\(command) --help")
        }
        try check(
            text("README.md").split(separator: "\n").filter {
                $0.firstMatch(of: #/^ {4}escriba (train|sample|perplexity|inspect) /#) != nil
            }, "README.md")
    }

    /// As a shell would cut a line.
    private func words(of line: Substring) -> [String] {
        var words: [String] = []
        var (word, quote) = ("", Character?.none)
        for character in line.drop(while: { $0 == " " }) {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == " " {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }

    @Test("The README fits on a few screens, and no document links to what is not there")
    func links() throws {
        #expect(try text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 101)
        let pages = try FileManager.default.contentsOfDirectory(atPath: Self.repository.appending(path: "docs").path)
        for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            + pages.filter({ $0.hasSuffix(".md") }).map({ "docs/" + $0 })
        {
            let folder = Self.repository.appending(path: page).deletingLastPathComponent()
            for link in try text(page).matches(of: #/\]\(([^)#:]+)(#[^)]*)?\)/#) {
                let target = folder.appending(path: String(link.1)).path
                #expect(FileManager.default.fileExists(atPath: target), "\(page): \(link.1)")
            }
            for picture in try text(page).matches(of: #/src="([^"]+)"/#) {
                let target = folder.appending(path: String(picture.1)).path
                #expect(FileManager.default.fileExists(atPath: target), "\(page): \(picture.1)")
            }
            for path in try text(page).matches(of: #/`((?:docs|Sources|Tests|Scripts)/[A-Za-z0-9_\/+.-]+)`/#) {
                let target = Self.repository.appending(path: String(path.1)).path
                #expect(FileManager.default.fileExists(atPath: target), "\(page): \(path.1)")
            }
        }
    }

    @Test("The README's program is this one, and runs")
    func program() throws {
        let folder = try TemporaryFolder()
        let trained = try Commands.run(
            "train",
            [
                try folder.write(sampleText, to: "other-text.txt"), "--output",
                folder.file("checkpoints/my-text.safetensors"), "--steps", "5", "--hidden", "8",
            ])
        #expect(trained.status == 0)
        try runReadme(in: folder.file)

        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.hasSuffix("// README begins") })
        let last = try #require(lines.firstIndex { $0.hasSuffix("// README ends") })
        let program = lines[(first + 1)..<last].map { $0.dropFirst(8) }.joined(separator: "\n")
            .replacing(#/file\(("[^"]*")\)/#) { $0.1 }
        let shown = try #require(try text("README.md").firstMatch(of: #/(?s)```swift\n(.*?)\n```/#)).1
        #expect(shown == program)
    }

    @Test("The version stands in one place; documents that name it agree")
    func version() throws {
        let readme = try text("README.md")
        #expect(readme.contains("from: \"\(escribaVersion)\""))
        for version in readme.matches(of: #/escriba[_-](\d+\.\d+\.\d+)/#) { #expect(version.1 == escribaVersion) }
        #expect(try text("CHANGELOG.md").contains("\n## \(escribaVersion)"))
    }

    /// - Parameter file: finds what the program names.
    private func runReadme(in file: (String) -> String) throws {
        func print(_ items: Any..., terminator: String = "") { #expect(!"\(items)".isEmpty) }
        // README begins
        let model = try LanguageModel(contentsOf: file("checkpoints/my-text.safetensors"))
        let strategy = SamplingStrategy.sampled(try Temperature(0.8), keeping: try SamplingFilter(topP: 0.95))
        for element in try model.generator(prompt: "Once", strategy: strategy, seed: 1).prefix(200) {
            print(element.symbol.text, terminator: "")
        }
        let score = try model.evaluate([.file(path: file("other-text.txt"))])
        print(score.total.likelihood.perplexity, score.total.bitsPerCharacter)
        // README ends
    }
}
