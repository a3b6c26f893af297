import Foundation
import TestSupport
import Testing

/// What `perplexity` and `sample` say beside the main figures.
@Suite struct MeasureCommandTests {
    private let hostile = "<script>alert(1)</script> & \"q\" 'a' </p><!-- \u{1}\u{7F} \u{202E}x שלום مرحبا\n"

    private func trained(_ folder: TemporaryFolder, _ more: [String] = []) throws -> String {
        let text = String(repeating: hostile + sampleText.prefix(300) + "\n", count: 6)
        let path = folder.file("m.safetensors")
        let result = try Commands.run(
            "train",
            [
                try folder.write(text, to: "corpus.txt"), "--steps", "20", "--hidden", "12", "--cell", "gru",
                "--output", path, "--quiet",
            ]
                + more)
        #expect(result.status == 0, "\(result.error)")
        return path
    }

    @Test(arguments: [[], ["--unit", "byte"]]) func aPageHoldsTheTextAndNothingOfItActs(flags: [String]) throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder, flags)
        let text = try folder.write(hostile + "second line\n", to: "<b>name.txt")
        let result = try Commands.run("perplexity", [path, text, "--html", folder.file("p.html")])
        #expect(result.status == 0, "\(result.error)")
        let page = try String(contentsOfFile: folder.file("p.html"), encoding: .utf8)
        let scripts = page.components(separatedBy: "<script")
        #expect(scripts.count == 2 && page.components(separatedBy: "</script").count == 2)
        #expect(!page.contains("<b>name") && page.contains("&lt;b&gt;name.txt"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;q&quot; &#39;a&#39;"))
        #expect(page.contains("&lt;!-- ␁␡ \u{202E}x שלום مرحبا"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<!--"))
        // Every line is there, and every piece of text has a length: the lengths sum to the text's.
        #expect(page.components(separatedBy: "<p dir=auto").count == 3)
        let table = try #require(page.firstMatch(of: #/lengths=await unpack\("([^"]*)"/#)).1
        let lengths = try unpacked(String(table))
        #expect(lengths.reduce(0) { $0 + Int($1) } == (hostile + "second line\n").utf16.count)
    }

    /// A file may end within a character; what is shown stays in its own file, and lines are those of the table.
    @Test func aPageOfBytesKeepsFilesAndLinesApart() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder, ["--unit", "byte"])
        try Data([0x61, 0xE2, 0x82]).write(to: URL(fileURLWithPath: folder.file("c1.txt")))
        let second = try folder.write("one line\r\nanother line of words\r\n", to: "c2.txt")
        let result = try Commands.run(
            "perplexity",
            [path, folder.file("c1.txt"), second, "--html", folder.file("p.html"), "--surprisal", folder.file("s.tsv")])
        #expect(result.status == 0, "\(result.error)")
        let page = try String(contentsOfFile: folder.file("p.html"), encoding: .utf8)
        let lines = page.matches(of: #/<p dir=auto>([^<]*)\n/#).map { String($0.1) }
        #expect(lines == ["a\u{FFFD}", "one line␍\n", "another line of words␍\n"])
        #expect(page.contains(">2</a>") && !page.contains(">4</a>"))
    }

    @Test func cropsAreMeasured() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let text = try folder.write(String(repeating: sampleText, count: 2), to: "t.txt")
        func run(_ more: [String]) throws -> CommandResult {
            try Commands.run("perplexity", [path, text, "--crops", "64"] + more)
        }
        let json = try run(["--crop-count", "20", "--seed", "7", "--format", "json"])
        #expect(json.status == 0, "\(json.error)")
        let figures = try #require(try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
        #expect(figures["crops"] as? Int == 20 && figures["length"] as? Int == 64 && figures["seed"] as? Int == 7)
        #expect(figures["tokens"] as? Int == 1280 && (figures["nats_by_place"] as? [Double])?.count == 64)
        let mean = try #require(figures["nats"] as? Double) / 1280
        let table = try run(["--crop-count", "20", "--seed", "7"]).text
        #expect(table.contains("20 of 64 symbols") && table.contains(String(format: "%.4f (standard error", mean)))
        #expect(table.contains("from symbol 17"))
        #expect(try run([]).text.contains("1,000 of 64 symbols (grapheme), each from nothing, seed 1"))
        for (flags, message) in [
            (["--surprisal", "s.tsv"], "--crops does not go with"), (["--dynamic"], "--crops does not go with"),
            (["--state", "line"], "--crops does not go with"), (["--crop-count", "0"], "--crop-count is 0"),
        ] {
            let refused = try run(flags)
            #expect(refused.status == 64 && refused.error.contains(message), "\(flags): \(refused.error)")
        }
        #expect(try Commands.run("perplexity", [path, text, "--seed", "1"]).error.contains("need --crops"))
        #expect(try Commands.run("perplexity", [path, text, "--crops", "0"]).error.contains("--crops is 0"))
        let short = try Commands.run("perplexity", [path, text, "--crops", "1000000"])
        #expect(try Commands.run("perplexity", [path, text, "--crops", "9223372036854775807"]).status == 64)
        let single = try run(["--crop-count", "1", "--format", "json"])
        #expect(single.text.contains("\"standard_error\" : null"))
        #expect(short.status == 65 && short.error.contains("at least 1000001 are needed"))
    }

    @Test func aFigureThatOverflowsIsNull() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let result = try Commands.run(
            "perplexity",
            [path, folder.file("corpus.txt"), "--dynamic", "--dynamic-rate", "1e30", "--format", "json"])
        #expect(result.status == 0, "\(result.error)")
        let figures = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        #expect((figures["dynamic"] as? [String: Any])?["perplexity"] is NSNull)
    }

    @Test func aPageThatCannotBeWrittenIsAnErrorBeforeTheTextIsRead() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let corpus = folder.file("corpus.txt")
        let cases: [([String], Int32, String)] = [
            ([path, corpus, "--html", "/proc/none/p.html"], 73, "/proc/none/p.html"),
            ([path, corpus, "--html", corpus], 64, "corpus.txt"),
            ([path, corpus, "--html", path], 64, "name of a model"),
            ([path, corpus, "--html", "a", "--surprisal", "a"], 64, "give two"),
            ([path, corpus, "--dynamic-rate", "1"], 64, "--dynamic"),
            ([path, corpus, "--dynamic", "--dynamic-rate", "-1"], 64, "--dynamic-rate"),
            ([path, corpus, "--dynamic", "--dynamic-tune", corpus], 64, "another"),
            ([path, corpus, "--baseline", folder.file("none")], 66, "none"),
            ([path, corpus, "--info"], 64, "--info"),
            ([path], 64, "text"),
        ]
        for (arguments, status, part) in cases {
            let result = try Commands.run("perplexity", arguments)
            #expect(result.status == status && result.text.isEmpty, "\(arguments): \(result.status) \(result.error)")
            let lines = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(lines.count == 1 && lines[0].contains(part), "\(result.error)")
        }
        #expect(try String(contentsOfFile: corpus, encoding: .utf8).hasPrefix("<script>"))
        // One of two outputs that cannot be written costs nothing of the other.
        let table = try folder.write("earlier", to: "t.tsv")
        let result = try Commands.run(
            "perplexity", [path, corpus, "--surprisal", table, "--html", "/proc/none/p.html"])
        #expect(result.status == 73 && (try? String(contentsOfFile: table, encoding: .utf8)) == "earlier")
    }

    @Test func measuresStandBesideTheFigures() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let corpus = folder.file("corpus.txt")
        let json = try Commands.run(
            "perplexity", [path, corpus, "--baseline", corpus, "--dynamic", "--format", "json"])
        #expect(json.status == 0 && json.error.contains("the part the model was trained on"), "\(json.error)")
        let figures = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect((figures["baseline_nats"] as? [Double])?.count == 8)
        let dynamic = try #require(figures["dynamic"] as? [String: Double])
        #expect(try #require(dynamic["nats"]) > 0 && dynamic["rate"] == 0.0002 && dynamic["decay"] == 0.002)
        let table = try Commands.run("perplexity", [path, corpus, "--baseline", corpus, "--dynamic"])
        #expect(table.text.contains("dynamic  ") && table.text.contains("the best"))

        let tsv = folder.file("s.tsv")
        #expect(try Commands.run("perplexity", [path, corpus, "--surprisal", tsv]).status == 0)
        let lines = try String(contentsOfFile: tsv, encoding: .utf8).split(separator: "\n")
        #expect(lines[0] == "file\toffset\tline\tsymbol\tnats\trank\tentropy")
        #expect(lines.count - 1 == figures["tokens"] as? Int)
        let nats = lines.dropFirst().reduce(0.0) { $0 + Double($1.split(separator: "\t")[4])! }
        #expect(abs(nats / (figures["nats"] as? Double ?? 0) - 1) < 1e-9)

        let card = try Commands.run("perplexity", [path, "--info"])
        #expect(card.status == 0)
        for part in [" MB", "gru", "1 x 12", "parameters", "ICU", "SHA-256", "20 steps", "corpus.txt"] {
            #expect(card.text.contains(part), "\(part)")
        }
    }

    @Test func samplesCanBeSteeredAndCompared() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let corpus = folder.file("corpus.txt")
        let plain = try Commands.run("sample", [path, "--seed", "1", "--length", "300"])
        #expect(plain.text.contains("e") && plain.text.contains("\n"))
        let steered = try Commands.run(
            "sample",
            [path, "--seed", "1", "--length", "300", "--ban", "e", "--ban", "\\n", "--bias", "t=3", "--mirostat", "3"])
        #expect(steered.status == 0 && !steered.text.contains("e") && !steered.text.dropLast().contains("\n"))
        let copied = try Commands.run(
            "sample",
            [path, "--seed", "1", "--length", "50", "--count", "2", "--novelty", corpus, "--format", "jsonl"])
        let lines = copied.text.split(separator: "\n")
        #expect(copied.status == 0 && lines.count == 4 && lines[3].contains("\"longest_copied_run\":"))
        let talk = try Commands.run(
            "sample", [path, "--seed", "1", "--length", "5", "--interactive", "--prompt", "the "], input: "one\n\ntwo\n"
        )
        #expect(talk.status == 0 && talk.text.count >= 15)
        for (arguments, part) in [
            (["--bias", "e"], "--bias"), (["--bias", "ee=1"], "one symbol"), (["--ban", ""], "--ban"),
            (["--typical", "2"], "--typical"), (["--mirostat", "0"], "--mirostat"),
            (["--mirostat-rate", "1"], "--mirostat"),
            (["--repetition-window", "4"], "--repetition-penalty"),
            (["--interactive", "--count", "2"], "--interactive"),
        ] {
            let result = try Commands.run("sample", [path] + arguments)
            #expect(result.status == 64 && result.text.isEmpty && result.error.contains(part), "\(result.error)")
        }
    }
}
