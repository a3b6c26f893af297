import Foundation
import TestSupport
import Testing
import Training

@testable import TensorBoard

/// The pictures of a training: the page of curves, and TensorBoard's files.
@Suite struct PictureTests {
    private func train(_ folder: TemporaryFolder, _ more: [String], output: String = "m.safetensors") throws
        -> CommandResult
    {
        let corpus = folder.file("corpus.txt")
        if !FileManager.default.fileExists(atPath: corpus) { _ = try folder.write(sampleText, to: "corpus.txt") }
        return try Commands.run(
            "train",
            [corpus, "--hidden", "12", "--output", folder.file(output), "--quiet"]
                + (more.contains("--steps") ? [] : ["--steps", "40"]) + more)
    }

    @Test func aPageDrawsEveryRun() throws {
        let folder = try TemporaryFolder()
        let (first, second) = (folder.file("a<b>.jsonl"), folder.file("b.jsonl"))
        #expect(try train(folder, ["--metrics", first]).status == 0)
        let report = folder.file("r.html")
        let result = try train(
            folder, ["--metrics", second, "--report", report, "--report-with", first, "--seed", "2"])
        #expect(result.status == 0, "\(result.error)")
        let page = try String(contentsOfFile: report, encoding: .utf8)
        // Four charts, each over steps, time and symbols.
        #expect(page.components(separatedBy: "<svg").count == 13 && page.components(separatedBy: "</svg>").count == 13)
        // Two runs in each, and the validations of both.
        #expect(page.components(separatedBy: "<polyline").count == 1 + 3 * (2 * 4 + 2))
        #expect(page.contains("a&lt;b&gt;") && !page.contains("<b>") && !page.contains(#/[",. =]nan[", ]/#))
        // Settings and a sample of the model are on the page; no path is.
        #expect(
            page.contains("<dt>hidden</dt><dd>12</dd>") && page.contains("What it wrote")
                && page.contains("<h1>Training m</h1>"))
        #expect(!page.contains(folder.path))
        // The loss falls, so the last validation of a run is below its first, by ten of them.
        let dots = try #require(page.firstMatch(of: #/class="c0 dot" data-name="m, validation" d="([^"]*)"/#)).1
        let heights = dots.matches(of: #/M[0-9.]+ ([0-9.]+)h0/#).compactMap { Double($0.1) }
        #expect(heights.count == 10 && heights[9] > heights[0])

        let drawn = try Commands.run(
            "train", ["--report", folder.file("s.html"), "--report-with", first, "--report-with", second])
        #expect(drawn.status == 0 && drawn.text.isEmpty)
        #expect(FileManager.default.fileExists(atPath: folder.file("s.html")))

        // Nothing that is drawn is drawn over, by whatever name; odd lines are errors.
        let before = try Data(contentsOf: URL(fileURLWithPath: first))
        let over = try Commands.run(
            "train", ["--report", folder.path + "/./a<b>.jsonl", "--report-with", first])
        #expect(over.status == 64)
        #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == before)
        let huge = try folder.write("{\"step\":9223372036854775807,\"train_nats\":1}\n", to: "huge.jsonl")
        let refused = try Commands.run("train", ["--report", folder.file("h.html"), "--report-with", huge])
        #expect(refused.status == 64 && refused.error.contains("line 1"))
    }

    /// The budget comes on top of the tuning, the curves of the winner stand where they were asked for, and nothing else is left.
    @Test func tuningThenTrains() throws {
        let folder = try TemporaryFolder()
        let metrics = folder.file("m.jsonl")
        let result = try train(
            folder, ["--tune", "1s", "--metrics", metrics, "--steps", "60", "--window", "16"],
            output: "new/folder/m.safetensors")
        #expect(result.status == 0, "\(result.error)")
        let lines = try String(contentsOfFile: metrics, encoding: .utf8).split(separator: "\n")
        let steps = lines.compactMap { $0.firstMatch(of: #/"step":(\d+)/#).flatMap { Int($0.1) } }
        let card = try Commands.run("perplexity", [folder.file("new/folder/m.last.safetensors"), "--info"])
        let budget = try #require(card.text.firstMatch(of: #/\nsteps +(\d+)/#)).1
        #expect(try #require(Int(budget)) > 60 && steps.max() == Int(budget) && lines.last?.contains("true") == true)
        #expect(card.text.contains(#/\nwindow +16\n/#))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("new/folder")).sorted()
        #expect(names == ["m.last.safetensors", "m.safetensors"])
        // The rate falls again over the budget: from high to a hundredth.
        let all = try MetricsLine.lines(of: Data(contentsOf: URL(fileURLWithPath: metrics)), name: "m")
        let rates = all.compactMap { line -> Double? in
            guard case .step(let report) = line, let total = Int(budget), report.step > total - 60 else { return nil }
            return report.learningRate
        }
        #expect(rates.count >= 2 && rates[0] > 2 * rates[rates.count - 1])
    }

    @Test func mistakesAreFoundBeforeAnythingIsTrained() throws {
        let folder = try TemporaryFolder()
        let line = """
            {"epoch":1,"exact":false,"seconds":2,"step":3,"validation_bits_per_character":4,"validation_nats":5}
            """
        let broken = try folder.write(line + "\nnonsense\n", to: "broken.jsonl")
        let page = folder.file("r.html")
        try FileManager.default.createSymbolicLink(atPath: folder.file("sub"), withDestinationPath: ".")
        let cases: [([String], Int32, String)] = [
            (["--report-with", broken], 64, "--report"),
            (["--report", page, "--metrics", folder.file("m.jsonl"), "--report-with", broken], 64, "line 2"),
            (["--report", page, "--metrics", page], 64, "name a new one"),
            (["--report", folder.file("m.jsonl")], 64, "name another file"),
            (["--report", folder.file("sub/m.jsonl")], 64, "name another file"),
            (["--report", folder.file("corpus.txt"), "--metrics", folder.file("m.jsonl")], 64, "corpus.txt"),
            (["--tensorboard", "/proc/none"], 73, "/proc/none"),
            (["--tensorboard", "/proc/none", "--tune", "60s"], 73, "/proc/none"),
            (["--report", "/proc/none/r.html", "--metrics", folder.file("m.jsonl")], 73, "/proc/none"),
            (["--tune", "60s", "--steps", "1", "--from", broken], 64, "--tune"),
            (["--tune", "60s", "--metrics", "/proc/none/m.jsonl"], 73, "/proc/none"),
            (["--batch", "0"], 64, "batch"),
            (["--window", "9000000000000000000", "--batch", "9000000000000000000"], 64, "batch"),
        ]
        for (flags, status, part) in cases {
            let result = try train(folder, flags)
            #expect(
                result.status == status && result.error.contains(part), "\(flags): \(result.status) \(result.error)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("m.safetensors")))
        }
    }

    /// The checksum of "123456789" is the one every description of CRC-32C gives.
    @Test func eventsAreFramedAsTheFormatSays() throws {
        #expect(EventFile.crc32c(Array("123456789".utf8)) == 0xE306_9283)
        let folder = try TemporaryFolder()
        #expect(try train(folder, ["--tensorboard", folder.file("tb")]).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("tb"))
        #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.file("tb") + "/" + names[0])))
        var events: [([UInt8], String)] = []
        while !bytes.isEmpty {
            let length = Int(bytes[0]) + Int(bytes[1]) << 8
            let message = Array(bytes[12..<12 + length])
            #expect(Array(bytes[..<(16 + length)]) == EventFile.record(message))
            events.append((message, String(decoding: message, as: UTF8.self)))
            bytes.removeFirst(16 + length)
        }
        #expect(events[0].1.hasSuffix("brain.Event:2"))
        let losses = events.filter { $0.1.contains("loss/train") }
        // Each event is a time of nine bytes, and a step of one with its key.
        #expect(losses.map { Array($0.0[9..<11]) } == [10, 20, 30, 40].map { [0x10, $0] })
        #expect(events.count { $0.1.contains("loss/validation_exact") } == 1)
    }

    /// The expected bytes are those that TensorBoard's own library writes for these values.
    @Test func eventsAreEncodedAsProtocolBuffers() {
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
        #expect(hex(EventMessage.version(at: 1.5)) == "09000000000000f83f1a0d627261696e2e4576656e743a32")
        let tags = [("loss/train", 2.5), ("loss/validation", 0), (String(repeating: "é", count: 70), -1e-3)]
        let points = EventMessage.points(tags, step: 300, at: 1_795_751_807.25)
        #expect(
            hex(points) == "090000d0df3fc2da4110ac022ac2010a110a0a6c6f73732f747261696e15000020400a160a0f6c6f73732f"
                + "76616c69646174696f6e15000000000a94010a8c01" + String(repeating: "c3a9", count: 70) + "156f1283ba")
    }
}
