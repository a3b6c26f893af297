import CharacterModel
import Foundation
import TestSupport
import Testing

/// The `inspect` command.
@Suite("Inspect")
struct InspectCommandTests {
    private let folder: TemporaryFolder
    private let corpus: String

    init() throws {
        folder = try TemporaryFolder()
        corpus = try folder.write(sampleText, to: "corpus.txt")
    }

    private func trained(_ flags: [String], _ text: String? = nil) throws -> String {
        let path = folder.file("m.safetensors")
        let result = try Commands.run(
            "train", [text ?? corpus, "--steps", "5", "--hidden", "8", "--output", path, "--overwrite"] + flags)
        #expect(result.status == 0, "\(result.error)")
        return path
    }

    @Test("It prints the JSON that is documented, and tables", arguments: ["gru", "lstm", "rnn", "mingru"])
    func output(cell: String) throws {
        let path = try trained(["--cell", cell, "--layers", "2", "--embedding", "4"])
        let json = try Commands.run("inspect", [path, corpus, "--lags", "8", "--format", "json"])
        #expect(json.status == 0, "\(json.error)")
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        let memory = try #require(object["memory"] as? [[String: Any]])
        #expect(memory.count == 13 && memory[0]["context"] as? Int == 0 && memory[12]["context"] is NSNull)
        #expect(memory.allSatisfy { $0["nats"] as? Double ?? 0 > 0 && $0["standard_error"] as? Double ?? 0 > 0 })
        let flow = try #require(object["gradient_flow"] as? [[String: Any]])
        #expect(flow.count == 9 * 2 * (cell == "lstm" ? 2 : 1))
        #expect(Set(flow.compactMap { $0["state"] as? String }) == (cell == "lstm" ? ["h", "c"] : ["h"]))
        #expect((object["positions"] as? [Int])?.count == 200)
        let gates = try #require(object["gates"] as? [[String: Any]])
        #expect(gates.count == ["gru": 2, "lstm": 3, "rnn": 0, "mingru": 1][cell]! * 2 * 8)
        // What cannot be said is null; no key is left out.
        #expect(gates.allSatisfy { $0.keys.contains("half_life") } && flow.allSatisfy { $0["norm"] is Double })
        let units = try #require(object["units"] as? [[String: Any]])
        #expect(Set(units.flatMap(\.keys)) == ["layer", "unit", "fact", "measure", "score", "inverted"])
        #expect(units.contains { $0["fact"] as? String == "inside a word" })
        #expect(!object.keys.contains("memory_baseline") && object["memory_positions"] as? Int ?? 0 > 0)
        let table = try Commands.run("inspect", [path, corpus, "--lags", "8"])
        #expect(table.status == 0 && table.text.contains("memory") && table.text.contains("layer 1 h"))
        let scaled = try Commands.run("inspect", [path, corpus, "--lags", "8", "--scale-recurrent", "0.5"])
        #expect(scaled.status == (cell == "mingru" ? 64 : 0), "\(scaled.error)")
    }

    @Test("Bytes, records and texts that run from right to left are inspected too; slips are errors of one line")
    func inputs() throws {
        let hebrew = try folder.write(String(repeating: "שלום לכולם, מה שלומכם?\n", count: 40), to: "he.txt")
        for flags in [["--unit", "byte"], ["--records", "line"], ["--unit", "scalar"]] {
            let path = try trained(flags, hebrew)
            let result = try Commands.run("inspect", [path, hebrew, "--lags", "4", "--untrained"])
            #expect(result.status == 0 && result.text.contains("untrained, seed 1"), "\(flags): \(result.error)")
        }
        // A relu network whose gradients overflow: said, not made up.
        let rnn = try trained(["--cell", "rnn", "--nonlinearity", "relu"])
        let huge = try Commands.run(
            "inspect", [rnn, corpus, "--lags", "64", "--scale-recurrent", "1e9", "--format", "json"])
        #expect(huge.status == 0 && huge.text.contains("\"norm\":null"), "\(huge.error)")
        // Of other weights than the model's, nothing else is measured.
        let figures = try #require(try JSONSerialization.jsonObject(with: huge.output) as? [String: Any])
        #expect(figures["memory"] == nil && figures["gates"] == nil && figures["units"] == nil)
        let page = try Commands.run(
            "inspect", [rnn, corpus, "--lags", "4", "--untrained", "--html", folder.file("u.html")])
        #expect(page.status == 0 && !page.text.contains("memory"))
        #expect(
            try String(contentsOfFile: folder.file("u.html"), encoding: .utf8).contains("an untrained network, seed 1"))
        let path = try trained([])
        for (arguments, status, part) in [
            ([path], 64, "name a text"), ([path, folder.file("none.txt")], 66, "none.txt"),
            ([path, corpus, "--seed", "2"], 64, "--untrained"), ([path, corpus, "--lags", "-1"], 64, "--lags"),
            ([path, corpus, "--scale-recurrent", "0"], 64, "--scale-recurrent"),
            ([path, try folder.write("", to: "empty")], 65, "empty"), ([corpus, corpus], 65, "corpus.txt"),
        ] as [([String], Int32, String)] {
            let result = try Commands.run("inspect", arguments)
            #expect(
                result.status == status && result.error.contains(part) && result.text.isEmpty,
                "\(arguments): \(result.status) \(result.error)")
        }
    }

    private let hostile =
        "</p><script>alert(1)</script> & \"q\" 'a' <!-- \u{1}\u{1B}[31m\u{7F} \u{202E}x (שלום) مرحبا\u{301}\u{301}\u{301}\n"

    @Test(
        "The page holds the text and nothing of it acts; its levels are the units'",
        arguments: [
            ["--unit", "grapheme"], ["--unit", "byte"], ["--records", "line"], ["--cell", "lstm", "--layers", "2"],
        ])
    func page(flags: [String]) throws {
        let text = try folder.write(String(repeating: hostile + sampleText.prefix(300) + "\n", count: 6), to: "h.txt")
        let path = try trained(flags, text)
        let odd = try folder.write(hostile + "second line\n" + sampleText, to: "<b>name.txt")
        let result = try Commands.run(
            "inspect", [path, odd, "--html", folder.file("p.html"), "--lags", "4", "--baseline", text])
        #expect(result.status == 0, "\(result.error)")
        let page = try String(contentsOfFile: folder.file("p.html"), encoding: .utf8)
        #expect(
            page.components(separatedBy: "<script").count == 2 && page.components(separatedBy: "</script").count == 2)
        #expect(!page.contains("<b>name") && page.contains("&lt;b&gt;name.txt") && !page.contains("<!--"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;q&quot; &#39;a&#39;"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains(folder.path))
        #expect(page.contains("second line") && page.contains("n-grams") && page.contains("Gradient flow"))
        #expect(page.utf8.count < 5_000_000)
        // As many levels as pieces of text, two in a byte.
        let lengths = try unpacked(String(try #require(page.firstMatch(of: #/lengths=await unpack\("([^"]*)"/#)).1))
        let tracks = page.matches(of: #/\["layer [0-9]+, unit [0-9]+",-[0-9.e-]+,[0-9.e-]+,"([^"]*)"/#)
        #expect(!tracks.isEmpty && tracks.count <= 20)
        for track in tracks { #expect(try unpacked(String(track.1)).count == (lengths.count + 1) / 2) }
        #expect(
            lengths.reduce(0) { $0 + Int($1) }
                == (hostile + "second line\n" + sampleText).utf16.count + (flags[0] == "--records" ? 1 : 0))
        // Nobody sees half a page, and an input is not written over.
        let refused = try Commands.run("inspect", [path, odd, "--html", odd])
        #expect(refused.status == 64 && refused.error.contains("name.txt"))
        #expect(try String(contentsOfFile: odd, encoding: .utf8).hasPrefix("</p>"))
    }

    @Test("A unit colours the text in a pipe by digits below each line, and control characters stay out")
    func unit() throws {
        let path = try trained(["--layers", "2"])
        let text = try folder.write("one\ttwo\u{1B}[31m\nthree", to: "t.txt")
        let result = try Commands.run("inspect", [path, text, "--unit", "1:3"])
        #expect(result.status == 0, "\(result.error)")
        let lines = result.text.split(separator: "\n")
        #expect(lines.count == 4 && lines[0] == "one\\ttwo\\u{1B}[31m" && lines[2] == "three")
        #expect(lines[1].count == lines[0].count && lines[1].allSatisfy(\.isNumber) && lines[3].allSatisfy(\.isNumber))
        #expect(lines[3].contains { "09".contains($0) } || lines[1].contains { "09".contains($0) })
        // A file without a line end ends its line all the same.
        let files = try Commands.run("inspect", [path, text, text, "--unit", "3"])
        #expect(files.text.split(separator: "\n").count == 8 && files.text.split(separator: "\n")[2] == "three")
        let records = try trained(["--records", "line"])
        let other = try Commands.run("inspect", [records, text, "--unit", "3"])
        #expect(other.status == 0 && other.text.hasPrefix("one\\ttwo"), "\(other.error)")
        for (arguments, part) in [
            (["--unit", "8"], "units 0 to 7"), (["--unit", "2:1"], "layers are 0 to 0"),
            (["--unit", "-1"], "no unit 0:-1"),
            (["--unit", "1:2:3"], "--unit"), (["--unit", "x"], "--unit"),
            (["--unit", "1", "--format", "json"], "drop"),
            (["--unit", "1", "--states", "s.safetensors"], "exclude"), (["--states", "s.txt"], ".safetensors"),
            (["--states", "s.safetensors", "--html", "x"], "drop"), (["--html", "x.safetensors"], "model"),
            (["--states", records], "m.safetensors"), (["--baseline", "none"], "none"),
            (["--baseline", corpus, "--untrained"], "drop"),
        ] {
            let refused = try Commands.run("inspect", [records, text] + arguments, folder: folder.path)
            #expect(
                [64, 66].contains(refused.status) && refused.error.contains(part) && refused.text.isEmpty,
                "\(arguments): \(refused.status) \(refused.error)")
        }
    }

    @Test("A network whose loss is not finite gives null, and a page that says so")
    func overflow() throws {
        let made = try LanguageModel(contentsOf: trained(["--cell", "rnn", "--nonlinearity", "relu"]))
        var tensors = made.tensors
        var huge = try #require(tensors["rnn.weight_hh_l0"])
        huge.elements = huge.elements.map { $0 * 1e6 }
        tensors["rnn.weight_hh_l0"] = huge
        let path = folder.file("huge.safetensors")
        try LanguageModel(
            configuration: made.configuration, vocabulary: made.vocabulary, tensors: tensors
        ).write(to: path)
        let json = try Commands.run(
            "inspect", [path, corpus, "--lags", "4", "--format", "json", "--html", folder.file("o.html")])
        #expect(json.status == 0 && json.text.contains("\"nats\":null"), "\(json.error)")
        #expect(try String(contentsOfFile: folder.file("o.html"), encoding: .utf8).contains("not finite"))
        #expect(try Commands.run("inspect", [path, corpus, "--lags", "4"]).text.contains("overflow"))
    }

    @Test("States say their size before they are written, and a place without room is an error")
    func states() throws {
        let path = try trained([])
        let file = folder.file("states.safetensors")
        let result = try Commands.run("inspect", [path, corpus, "--states", file])
        #expect(result.status == 0 && result.text.isEmpty, "\(result.error)")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
        #expect(result.error.contains("writing \(String(format: "%.1f", Double(size) / 1e6)) MB"))
        #expect(try Commands.run("inspect", [path, corpus, "--states", file]).status == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("m.last.safetensors")))
        let model = try Commands.run("inspect", [path, corpus, "--states", folder.file("m.last.safetensors")])
        #expect(model.status == 64 && model.error.contains("not a file of states"), "\(model.error)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("m.last.safetensors"))) == before)
        let full = try Commands.run("inspect", [path, corpus, "--states", "/proc/none/s.safetensors"])
        #expect(full.status == 73 && full.error.contains("/proc/none"), "\(full.error)")
    }

    @Test("A model without a training record is inspected too; only its seed must be given")
    func withoutRecord() throws {
        let made = try LanguageModel(contentsOf: trained([]))
        let path = folder.file("bare.safetensors")
        try LanguageModel(
            configuration: made.configuration, vocabulary: made.vocabulary, tensors: made.tensors
        ).write(to: path)
        let plain = try Commands.run(
            "inspect", [path, corpus, "--lags", "4", "--baseline", corpus, "--html", folder.file("b.html")])
        #expect(plain.status == 0 && plain.text.contains("units worth knowing"), "\(plain.error)")
        let seedless = try Commands.run("inspect", [path, corpus, "--lags", "4", "--untrained"])
        #expect(seedless.status == 64 && seedless.error.contains("give --seed"), "\(seedless.error)")
        #expect(try Commands.run("inspect", [path, corpus, "--lags", "4", "--untrained", "--seed", "7"]).status == 0)
    }
}
