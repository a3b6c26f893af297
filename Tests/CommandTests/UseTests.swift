import CharacterModel
import CommandSupport
import Foundation
import TestSupport
import Testing
import Tokenization

@testable import Commands
@testable import Reports
@testable import Training

/// What was rough in use.
@Suite("In use")
struct UseTests {
    private func train(_ folder: TemporaryFolder, _ more: [String], text: String = sampleText) throws -> CommandResult {
        let corpus = try folder.write(text, to: "corpus.txt")
        return try Commands.run(
            "train",
            [corpus, "--hidden", "8", "--output", folder.file("m.safetensors")]
                + (more.contains("--steps") || more.contains("--time-limit") ? [] : ["--steps", "5"]) + more)
    }

    @Test("An unknown option is reported first, whatever else is missing")
    func unknownOption() throws {
        for (command, words) in [
            ("train", ["--bogus"]), ("perplexity", ["m", "--bogus"]), ("sample", ["m", "--bogus"]),
        ] {
            let result = try Commands.run(command, words)
            #expect(result.status == 64 && result.error.contains("--bogus"), "\(result.error)")
            #expect(!result.error.contains(".;") && result.error.split(separator: "\n").count == 1)
        }
        #expect(try Commands.run("train", []).error.contains("name a text"))
        #expect(try Commands.run("perplexity", ["m"]).error.contains("name a text"))
    }

    @Test("A plain number is in seconds; other words are an error")
    func durations() throws {
        for (text, seconds) in [("2", 2.0), ("1.5", 1.5), ("100ms", 0.1), ("90s", 90), ("3m", 180), ("2h", 7_200)] {
            #expect(abs(try Duration(parsing: text).seconds - seconds) < 1e-12, "\(text)")
        }
        for text in ["", "s", "-1", "0", "nan", "inf", "2d", "two"] {
            #expect(throws: (any Error).self, "\(text)") { try Duration(parsing: text) }
        }
    }

    @Test("Free memory is what every limit leaves", arguments: [1, 2])
    func groups(version: Int) throws {
        let folder = try TemporaryFolder()
        func put(_ text: String, _ name: String) throws {
            let path = folder.file(name)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        #expect(availableMemory(root: folder.path) == nil)
        try put("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n", "proc/meminfo")
        #expect(availableMemory(root: folder.path) == 8_192_000.0)
        let (mount, limit, usage) =
            version == 2
            ? ("sys/fs/cgroup", "memory.max", "memory.current")
            : ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        try put(version == 2 ? "0::/a/b\n" : "9:cpu:/x\n5:memory,foo:/a/b\n", "proc/self/cgroup")
        try put("max\n", "\(mount)/a/b/\(limit)")
        #expect(availableMemory(root: folder.path) == 8_192_000.0)
        try put("5000000\n", "\(mount)/a/\(limit)")
        try put("1000000\n", "\(mount)/a/\(usage)")
        #expect(availableMemory(root: folder.path) == 4_000_000)
        try put("anon 5\n\(version == 2 ? "" : "total_")inactive_file 400000\n", "\(mount)/a/memory.stat")
        #expect(availableMemory(root: folder.path) == 4_400_000)
        try put("300\n", "\(mount)/\(limit)")
        #expect(availableMemory(root: folder.path) == 300)
    }

    @Test("A report stores its metrics beside the model; a missing metrics file is a missing input")
    func reports() throws {
        let folder = try TemporaryFolder()
        let result = try train(folder, ["--report", folder.file("r.html")])
        #expect(result.status == 0, "\(result.error)")
        #expect(try String(contentsOfFile: folder.file("r.html"), encoding: .utf8).contains("<svg"))
        #expect(FileManager.default.fileExists(atPath: folder.file("m.jsonl")))
        // What is no metrics is not written over, whatever its name.
        _ = try folder.write("my diary\n", to: "m.jsonl")
        _ = try train(folder, ["--report", folder.file("r.html"), "--overwrite"])
        #expect(try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8) == "my diary\n")
        #expect(FileManager.default.fileExists(atPath: folder.file("m.1.jsonl")))
        let missing = try train(
            folder, ["--report", folder.file("s.html"), "--report-with", folder.file("none.jsonl")])
        #expect(missing.status == 66 && missing.error.contains("none.jsonl"))
    }

    @Test("Samples that are records of the text are reported, or redrawn, each separately")
    func novelRecords() throws {
        let folder = try TemporaryFolder()
        let names = ["ab", "ba", "aba", "bab", "abab", "baba", "aa", "bb"]
        let text = String(repeating: names.joined(separator: "\n") + "\n", count: 40)
        let corpus = try folder.write(text, to: "names")
        let model = folder.file("m.safetensors")
        let training = ["--records", "line", "--hidden", "8", "--steps", "150", "--batch", "4", "--window", "8"]
        #expect(try Commands.run("train", [corpus, "--output", model, "--quiet"] + training).status == 0)
        let flags = [
            model, "--seed", "3", "--temperature", "1.3", "--length", "12", "--novelty", corpus, "--prompt", "a",
        ]
        func lines(_ more: [String]) throws -> [String] {
            let result = try Commands.run("sample", flags + more)
            #expect(result.status == 0, "\(result.error)")
            return result.text.split(separator: "\n").map(String.init)
        }
        let all = try Commands.run("sample", flags + ["--count", "30"])
        let texts = all.text.split(separator: "\n").map(String.init)
        let known = texts.count(where: names.contains)
        #expect(texts.count == 30 && known > 3 && known < 30)
        #expect(all.error.contains("\(known) of 30 samples are whole records of the text"))
        let novel = try lines(["--count", "30", "--novel-only"])
        #expect(novel.count == 30 && !novel.contains(where: names.contains))
        for (index, text) in texts.enumerated() where !names.contains(text) { #expect(novel[index] == text) }
        // Drawn alone, on one thread, it is the same.
        let index = try #require(texts.firstIndex(where: names.contains))
        #expect(try lines(["--first", "\(index)", "--novel-only", "--threads", "1"]) == [novel[index]])
        let objects = try lines(["--first", "\(index)", "--novel-only", "--format", "jsonl"])
        #expect(objects.count == 2 && objects[1].contains("\"known_record\":false"))
        #expect(objects[1].contains("\"skipped_draws\":") && !objects[1].contains("\"skipped_draws\":0"))
        // What is cut short may be one too.
        let cut = try lines(["--count", "30", "--novel-only", "--length", "2"])
        #expect(!cut.isEmpty && !cut.contains(where: names.contains))
        // Where nothing else comes, nothing is written, and that is said.
        let nothing = try Commands.run(
            "sample", flags + ["--novel-only", "--top-k", "1", "--count", "2", "--quiet"])
        #expect(nothing.status == 0 && nothing.text.isEmpty && nothing.error.contains("all 100 draws"))
        for (more, word) in [(["--greedy"], "greedy"), (["--novelty", "none.txt"], "none.txt")] {
            let refused = try Commands.run("sample", flags + ["--novel-only"] + more)
            #expect(refused.status != 0 && refused.error.contains(word), "\(refused.error)")
        }
        let without = try Commands.run("sample", [model, "--novel-only"])
        #expect(without.status == 64 && without.error.contains("--novelty"))
    }

    @Test("The remaining time of a scoring or a training follows its own speed, whatever came before")
    func timeLeft() throws {
        let began = Date(timeIntervalSince1970: 1_000)
        let scoring = ScoringProgress(of: 4_000, began: began)
        func line(_ done: Int, _ seconds: Double) -> String? { scoring.line(done, at: began + seconds) }
        #expect(line(900, 9) == nil && line(1_000, 10) == "scored 1,000 of 4,000 symbols, 30 s left")
        #expect(line(1_500, 19) == nil && line(2_000, 20)?.hasSuffix("20 s left") == true)
        // 15 s after an hour of tuning.
        let corpus = try Corpus(reading: [.bytes(Array(sampleText.utf8), name: "t")])
        let progress = ProgressReport(quiet: false, samples: false, data: try TrainingData(corpus, fraction: 0.1))
        func left(_ seconds: Double, _ part: Double) -> Double? {
            progress.timeLeft(
                after: StepReport(
                    step: 1, epoch: 1, tokens: 1, seconds: 3_600 + seconds, trainNats: 1, learningRate: 1,
                    gradientNorm: 1,
                    tokensPerSecond: 1, progress: part))
        }
        #expect(left(1, 1.0 / 15) == nil)
        #expect(abs(try #require(left(2, 2.0 / 15)) - 13) < 1e-9)
        #expect(abs(try #require(left(10, 10.0 / 15)) - 5) < 1e-9)
        #expect(left(15, 1) == nil)
    }

    @Test("Results are JSON if requested; otherwise figures say what they mean")
    func results() throws {
        let folder = try TemporaryFolder()
        let json = try train(folder, ["--cell", "gru", "--format", "json", "--quiet"])
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(object["steps"] as? Int == 5 && object["model"] as? String == folder.file("m.safetensors"))
        #expect(object["validation_nats"] as? Double != nil && json.text.split(separator: "\n").count == 1)
        let text = try train(folder, ["--cell", "gru", "--quiet"]).text
        #expect(text.contains("bits per character") && text.contains("a coin toss is 1 bit"))
        let card = try Commands.run("perplexity", [folder.file("m"), "--info", "--format", "json"])
        let figures = try #require(try JSONSerialization.jsonObject(with: card.output) as? [String: Any])
        let options = try #require(figures["options"] as? [String: Any])
        #expect(options["hidden"] as? Int == 8 && options["batch"] as? Int == 16)
        #expect(options["cell"] as? String == "gru")
        #expect(figures["steps"] as? Int == 5 && (figures["sha256"] as? String)?.count == 64)
        #expect(figures["best_validation_nats"] as? Double != nil && figures["parameters"] as? Int ?? 0 > 100)
        let table = try Commands.run("perplexity", [folder.file("m"), folder.file("corpus.txt")]).text
        #expect(table.contains("bits per word") && !table.contains("word perplexity"))
        #expect(meaning(ofBits: 2).contains("4.0 characters") && meaning(ofBits: 50).contains("very many"))
    }

    @Test("A training of an earlier version goes on in float32, asked or not, and in no other precision")
    func earlierPrecision() throws {
        let folder = try TemporaryFolder()
        _ = try train(folder, ["--quiet", "--precision", "float32"])
        let path = folder.file("m.last.safetensors")
        let made = try Checkpoint(contentsOf: path, withState: true)
        var record = try #require(made.training)
        record.options.precision = nil
        try Checkpoint(
            configuration: made.configuration, vocabulary: made.vocabulary, parameters: made.parameters,
            training: record, state: made.state, recoveryPoint: made.recoveryPoint
        ).write(to: path)
        let refused = try Commands.run("train", ["--resume", path, "--steps", "45", "--precision", "bfloat16"])
        #expect(refused.status != 0 && refused.error.contains("float32"), "\(refused.error)")
        let resumed = try Commands.run("train", ["--resume", path, "--steps", "45", "--precision", "float32"])
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try Checkpoint(contentsOf: path).training?.options.precision == .float32)
    }

    @Test("A model is found without its ending, and a sample can be drawn alone")
    func samples() throws {
        let folder = try TemporaryFolder()
        _ = try train(folder, ["--quiet"])
        func sample(_ words: [String]) throws -> CommandResult {
            try Commands.run("sample", [folder.file("m"), "--seed", "4", "--length", "30"] + words)
        }
        let all = try sample(["--count", "3", "--format", "jsonl"])
        let third = try sample(["--first", "2", "--format", "jsonl", "--threads", "1"])
        #expect(all.status == 0 && all.text.split(separator: "\n").last.map { $0 + "\n" } == third.text)
        #expect(try sample(["--first", "-1"]).status == 64)
        let told = try sample(["--prompt", "ж the 漢", "--exact"])
        #expect(told.error.contains("\"ж\", \"漢\"") && told.text.hasPrefix("ж the 漢"))
        #expect(try sample(["--prompt", "ж", "--quiet"]).error.isEmpty)
        let seedless = try Commands.run("sample", [folder.file("m"), "--length", "3", "--quiet"])
        #expect(seedless.status == 0 && seedless.error.isEmpty)
    }

    @Test("Typed input that is not UTF-8 is skipped with a message")
    func interactive() throws {
        let folder = try TemporaryFolder()
        _ = try train(folder, ["--quiet"])
        let process = Commands.process(
            "sample", [folder.file("m.safetensors"), "--interactive", "--seed", "1", "--length", "4"])
        let (input, output, error) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, error)
        try process.run()
        input.fileHandleForWriting.write(Data([0x61, 0xFF, 0x0A] + Array("the\n".utf8)))
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
        let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 0 && said.contains("not UTF-8"))
        #expect(!String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).isEmpty)
    }

    @Test("A separator that separates nothing is an error, with a guess at what was meant")
    func separators() throws {
        let folder = try TemporaryFolder()
        for (name, hint) in [
            ("lines", "did you mean line?"), ("blankline", "did you mean blank-line?"), ("@@@@@@@", "give another one"),
        ] {
            let result = try train(folder, ["--records", name])
            #expect(result.status == 64 && result.error.contains(hint), "\(name): \(result.error)")
        }
        #expect(try train(folder, ["--records", "line", "--quiet"]).status == 0)
    }

    @Test(
        "Documents that look like text give a warning",
        arguments: [("%PDF-1.7\n", "pdftotext"), ("{\\rtf1\\ansi ", "unrtf")])
    func disguises(beginning: String, converter: String) throws {
        let folder = try TemporaryFolder()
        let result = try train(folder, [], text: beginning + sampleText)
        #expect(result.status == 0 && result.error.contains(converter), "\(result.error)")
        #expect(try !train(folder, [], text: "<html>" + sampleText).error.contains("Convert it"))
    }

    @Test("A text that has moved is found from every folder; the remaining budget is shown")
    func moved() throws {
        let folder = try TemporaryFolder()
        let there = folder.file("there")
        try FileManager.default.createDirectory(atPath: there, withIntermediateDirectories: true)
        _ = try folder.write(sampleText, to: "there/t.txt")
        let first = try Commands.run(
            "train", ["t.txt", "--hidden", "8", "--steps", "4", "--output", "m.safetensors", "--quiet"], folder: there)
        #expect(first.status == 0)
        let last = there + "/m.last.safetensors"
        // From another folder.
        let second = try Commands.run("train", ["--resume", last, "--steps", "10"], folder: folder.path)
        #expect(second.status == 0 && second.error.contains("6 of 10 steps left"), "\(second.error)")
        try FileManager.default.moveItem(atPath: there + "/t.txt", toPath: folder.file("moved.txt"))
        #expect(try Commands.run("train", ["--resume", last, "--steps", "12", "--quiet"]).status == 66)
        let moved = ["moved.txt", "--resume", last, "--steps", "12", "--quiet"]
        #expect(try Commands.run("train", moved, folder: folder.path).status == 0)
        #expect(try Commands.run("train", ["--resume", last, "--steps", "14", "--quiet"]).status == 0)
    }
}
