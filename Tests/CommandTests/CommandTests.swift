import CharacterModel
import Foundation
import TestSupport
import Testing

@Suite("Commands")
struct CommandTests {
    /// Trains a small model in a folder of its own; the file is `m.safetensors`.
    private func trained(_ folder: TemporaryFolder, _ more: [String] = [], text: String = sampleText) throws -> String {
        let corpus = try folder.write(text, to: "corpus.txt")
        let path = folder.file("m.safetensors")
        let result = try Commands.run(
            "train",
            [corpus, "--steps", "30", "--output", path, "--quiet"]
                + (more.contains("--hidden") ? [] : ["--hidden", "16"]) + more)
        #expect(result.status == 0, "\(result.error)")
        return path
    }

    @Test("Help screens are unchanged", arguments: ["escriba", "train", "sample", "perplexity", "inspect"])
    func help(command: String) throws {
        let expected = try String(contentsOfFile: Bundle.module.bundlePath + "/Help/\(command).txt", encoding: .utf8)
        let result = try Commands.run(command, ["--help"])
        #expect(result.status == 0 && result.error.isEmpty)
        #expect(result.text == expected)
        #expect(try Commands.run(command, ["--version"]).status == 0)
    }

    @Test("The main job: train, sample, measure")
    func mainJob() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder, ["--metrics", folder.file("m.jsonl")])
        let sample = try Commands.run("sample", [path, "--length", "40", "--seed", "3", "--prompt", "the "])
        #expect(sample.status == 0 && sample.error.isEmpty)
        #expect(sample.text.hasPrefix("the ") && sample.text.hasSuffix("\n"))
        #expect(
            try Commands.run("sample", [path, "--length", "40", "--seed", "3", "--prompt", "the "]).text == sample.text)

        let json = try Commands.run("perplexity", [path, folder.file("corpus.txt"), "--format", "json"])
        #expect(json.status == 0 && json.error.hasPrefix("warning: this is the text the model was trained on"))
        let figures = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        for key in [
            "nats", "tokens", "perplexity", "bits_per_token", "bits_per_character", "bits_per_scalar", "bits_per_byte",
            "word_perplexity", "standard_error", "unknown_tokens", "bytes", "scalars", "characters", "words", "unit",
            "normalization", "lossy", "state", "checkpoint", "sha256", "files",
        ] { #expect(figures[key] != nil, "\(key)") }
        #expect(figures["tokens"] as? Int == sampleText.count && figures["bytes"] as? Int == sampleText.utf8.count)
        let nats = try #require(figures["nats"] as? Double)
        let bits = try #require(figures["bits_per_byte"] as? Double)
        #expect(abs(bits * Double(sampleText.utf8.count) * log(2) / nats - 1) < 1e-12)
        #expect(try Commands.run("perplexity", [path, folder.file("corpus.txt")]).text.contains("bits per character"))

        // Every line of the metrics is an object; the last is exact and is what perplexity gives for the same text.
        let lines = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8).split(separator: "\n")
        let objects = try lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let last = try #require(objects.last)
        #expect(last["exact"] as? Bool == true)
        let tail = try folder.write(String(sampleText.dropFirst(Int(0.9 * Double(sampleText.count)))), to: "tail.txt")
        let again = try Commands.run("perplexity", [path, tail, "--format", "json"])
        let scored = try #require(try JSONSerialization.jsonObject(with: again.output) as? [String: Any])
        let (a, b) = (last["validation_nats"] as? Double, scored["nats"] as? Double)
        #expect(abs(try #require(a) * Double(try #require(scored["tokens"] as? Int)) / (try #require(b)) - 1) < 1e-12)
        let bpc = (last["validation_bits_per_character"] as? Double, scored["bits_per_character"] as? Double)
        #expect(abs(try #require(bpc.0) / (try #require(bpc.1)) - 1) < 1e-12)
    }

    @Test("Samples: count, JSON lines, stop, greedy, standard input, byte models")
    func samples() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let one = try Commands.run(
            "sample", [path, "--length", "30", "--seed", "7", "--count", "3", "--format", "jsonl"])
        let lines = one.text.split(separator: "\n")
        #expect(lines.count == 3)
        let first = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(first["stop"] as? String == "length" && first["seed"] as? Int == 7 && first["prompt"] as? String == "")
        #expect((first["text"] as? String)?.count == 30 && (first["log_probability"] as? Double ?? 0) < 0)
        let alone = try Commands.run(
            "sample", [path, "--length", "30", "--seed", "7", "--format", "jsonl", "--threads", "1"])
        #expect(alone.text == lines[0] + "\n")
        let stopped = try Commands.run(
            "sample", [path, "--length", "5000", "--seed", "1", "--stop", " ", "--format", "jsonl"])
        #expect(stopped.text.contains("\"stop\":\"stop\""))
        let greedy = try Commands.run("sample", [path, "--greedy", "--length", "10"])
        #expect(greedy.status == 0 && greedy.error.isEmpty)
        #expect(try Commands.run("sample", [path, "--temperature", "0", "--length", "10"]).text == greedy.text)
        // A prompt may begin with a dash and hold what the model never saw.
        let odd = try Commands.run("sample", [path, "--prompt", "--Ω漢", "--length", "5", "--seed", "1"])
        #expect(odd.status == 0 && odd.text.hasPrefix("--Ω漢"))
        let seeded = try Commands.run("sample", [path, "--length", "5"])
        #expect(seeded.error.hasPrefix("seed "))

        let bytes = folder.file("bytes.safetensors")
        let fromInput = try Commands.run(
            "train", ["-", "--unit", "byte", "--steps", "20", "--hidden", "8", "--output", bytes], input: sampleText)
        #expect(fromInput.status == 0, "\(fromInput.error)")
        let text = try Commands.run("sample", [bytes, "--temperature", "3", "--length", "300", "--seed", "2"])
        #expect(String(data: text.output, encoding: .utf8) != nil)
    }

    @Test(
        "A new run keeps the files of an earlier one unless told to overwrite them; a resumed run continues its metrics"
    )
    func replacement() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder, ["--metrics", folder.file("m.jsonl")])
        let more = try Commands.run(
            "train",
            ["--resume", folder.file("m.last.safetensors"), "--steps", "40", "--metrics", folder.file("other.jsonl")])
        #expect(more.status == 0, "\(more.error)")
        func hidden(_ files: String...) throws -> [Int] {
            try files.map { try Checkpoint(contentsOf: folder.file($0)).configuration.hidden }
        }
        _ = try trained(folder, ["--hidden", "9", "--validation-fraction", "0"])
        #expect(try hidden("m.safetensors", "m.last.safetensors") == [9, 9])
        #expect(try hidden("m.1.safetensors", "m.1.last.safetensors") == [16, 16])
        let third = try Commands.run(
            "train", [folder.file("corpus.txt"), "--steps", "3", "--hidden", "10", "--output", path])
        #expect(third.error.contains("kept as") && third.error.contains("m.2.safetensors"))
        #expect(try hidden("m.safetensors", "m.2.safetensors", "m.1.safetensors") == [10, 9, 16])
        _ = try trained(folder, ["--hidden", "11", "--overwrite"])
        #expect(try hidden("m.safetensors", "m.last.safetensors", "m.2.safetensors") == [11, 11, 9])
        #expect(!FileManager.default.fileExists(atPath: folder.file("m.3.safetensors")))
        // What was kept can be gone on with.
        let kept = ["--resume", folder.file("m.1.last.safetensors"), "--steps", "45", "--quiet"]
        #expect(try Commands.run("train", kept).status == 0)
    }

    @Test("A new run that cannot be written leaves both files of the earlier one")
    func fileSizeLimit() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let files = [path, folder.file("m.last.safetensors")].map { URL(fileURLWithPath: $0) }
        let before = try files.map { try Data(contentsOf: $0) }
        let train = try #require(Commands.process("train", []).executableURL).path
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            "ulimit -f 100; '\(train)' '\(folder.file("corpus.txt"))' --steps 20 --hidden 200 --output '\(path)'",
        ]
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 74)
        #expect(try files.map { try Data(contentsOf: $0) } == before)
        #expect(!(try FileManager.default.contentsOfDirectory(atPath: folder.path)).contains { $0.hasSuffix(".tmp") })
    }

    @Test(
        "A hang-up that a parent ignores stays ignored; SIGINT stops a job in the background",
        arguments: ["HUP", "INT"])
    func ignoredSignals(name: String) throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        let train = try #require(Commands.process("train", []).executableURL).path
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            """
            trap '' \(name); '\(train)' '\(corpus)' --hidden 16 --time-limit 4s --quiet --output '\(folder.file("m.safetensors"))' &
            sleep 1; kill -\(name) $!; wait $!
            """,
        ]
        shell.standardOutput = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == (name == "HUP" ? 0 : 130))
    }

    @Test("A closed pipe ends the command quietly", arguments: [1, 2])
    func closedOutput(count: Int) throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        let sample = try #require(Commands.process("sample", []).executableURL).path
        shell.arguments = [
            "-c", "('\(sample)' '\(path)' --seed 1 --count \(count) --length 2000000; echo $? >&2) | head -c 10",
        ]
        let (output, error) = (Pipe(), Pipe())
        shell.standardOutput = output
        shell.standardError = error
        try shell.run()
        let messages = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(messages == "0\n")
    }

    @Test("Bad input is one clear line and the right exit code, and writes nothing to stdout")
    func badInput() throws {
        let folder = try TemporaryFolder()
        let path = try trained(folder)
        let corpus = folder.file("corpus.txt")
        let empty = try folder.write("", to: "empty.txt")
        let short = try folder.write("too short", to: "short.txt")
        let invalid = folder.file("invalid.txt")
        try Data([0x61, 0x0A, 0x62, 0xFF, 0x63]).write(to: URL(fileURLWithPath: invalid))
        let cut = folder.file("cut.safetensors")
        try Data(contentsOf: URL(fileURLWithPath: path)).prefix(3_000).write(to: URL(fileURLWithPath: cut))
        let last = folder.file("m.last.safetensors")
        let texts = folder.file("texts")
        try FileManager.default.createDirectory(atPath: texts, withIntermediateDirectories: true)
        _ = try folder.write(sampleText, to: "texts/a.txt")
        let renamed = folder.file("renamed.safetensors")
        try FileManager.default.copyItem(atPath: last, toPath: renamed)
        try FileManager.default.createDirectory(
            atPath: folder.file("d.safetensors"), withIntermediateDirectories: true)
        let cases: [(String, [String], Int32, String)] = [
            ("train", [folder.file("none.txt")], 66, "none.txt"),
            ("train", [empty], 65, "empty"),
            ("train", [short], 65, "window"),
            ("train", [invalid], 65, "offset 3"),
            ("train", [corpus, "--output", "/proc/none/m.safetensors"], 73, "/proc/none"),
            ("train", [corpus, "--hidden", "0"], 64, "hidden"),
            ("train", [corpus, "--hidden", "1000000"], 64, "hidden"),
            ("train", [corpus, "--hidden", "32768", "--layers", "64"], 64, "memory"),
            ("train", [corpus, "--hidden", "many"], 64, "many"),
            ("train", [corpus, "--steps", "5", "--epochs", "5"], 64, "--epochs"),
            ("train", [corpus, "--steps", "0"], 64, "steps"),
            ("train", [corpus, "--batch", "-3"], 64, "batch"),
            ("train", [corpus, "--learning-rate", "-1"], 64, "learning-rate"),
            ("train", [corpus, "--dropout", "1"], 64, "dropout"),
            ("train", [corpus, "--time-limit", "soon"], 64, "90s, 3m or 2h"),
            ("train", [corpus, "--metrics", corpus], 64, "overwrite"),
            ("train", [corpus, "--output", path, "--metrics", path], 64, "name of a model"),
            ("train", [corpus, "--validation-fraction", "0", "--patience", "2"], 64, "--patience"),
            ("perplexity", [path, corpus, "--surprisal", corpus], 64, "overwrite"),
            ("perplexity", [path, texts, "--surprisal", texts + "/a.txt"], 64, "overwrite"),
            ("train", [texts, "--metrics", texts + "/a.txt"], 64, "overwrite"),
            ("train", [corpus, "--unit", "byte", "--normalization", "nfc"], 64, "--unit byte"),
            ("train", [corpus, "--output", "model"], 64, ".safetensors"),
            ("train", [corpus, "--output", folder.path + "/d.safetensors"], 73, "folder"),
            ("train", [corpus, "--clip", "inf"], 64, "clip"),
            ("train", [corpus, "--epochs", "9223372036854775807"], 64, "epochs"),
            ("train", [corpus, "--min-count", "1000000"], 64, "min-count"),
            ("train", ["--resume", renamed], 64, "NAME.last.safetensors"),
            ("train", [corpus, "--nonsense"], 64, "--nonsense"),
            ("train", [], 64, "name a text"),
            ("train", ["--resume", last, "--hidden", "99"], 64, "--hidden"),
            ("train", ["--resume", last, "--cell", "rnn"], 64, "--cell"),
            ("train", ["--resume", path], 65, ".last.safetensors"),
            ("train", [short, "--resume", last], 65, "not the text"),
            ("sample", [cut], 65, "cut short"),
            ("sample", [corpus], 65, "not a checkpoint"),
            ("sample", [folder.file("none.safetensors")], 66, "none.safetensors"),
            ("sample", [path, "--temperature", "-1"], 64, "temperature"),
            ("sample", [path, "--top-p", "2"], 64, "top-p"),
            ("sample", [path, "--top-k", "0"], 64, "top-k"),
            ("sample", [path, "--min-p", "1.5"], 64, "min-p"),
            ("sample", [path, "--repetition-penalty", "0"], 64, "repetition-penalty"),
            ("sample", [path, "--length", "0"], 64, "length"),
            ("sample", [path, "--prompt", "a", "--prompt-file", corpus], 64, "--prompt"),
            ("sample", [], 64, "checkpoint"),
            ("perplexity", [path, empty], 65, "empty"),
            ("perplexity", [path, invalid], 65, "offset 3"),
            ("perplexity", [path, folder.file("none.txt")], 66, "none.txt"),
            ("perplexity", [path, corpus, "--surprisal", "/proc/none.tsv"], 73, "/proc/none.tsv"),
            ("perplexity", [corpus, corpus], 65, "not a checkpoint"),
        ]
        for (command, arguments, status, word) in cases {
            let what = "\(command) \(arguments)"
            let result = try Commands.run(command, arguments, folder: folder.path)
            #expect(result.status == status, "\(what): \(result.error)")
            #expect(result.output.isEmpty, "\(what)")
            let lines = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(lines.count == 1 && result.error.hasSuffix(lines.joined() + "\n"), "\(what): \(result.error)")
            #expect(lines.first?.contains(word) ?? false, "\(what): \(result.error)")
        }
        #expect(try Commands.run("sample", [path, "--length", "3", "--seed", "1"]).status == 0)
    }

    @Test(
        "A signal, even sent twice as by timeout, finishes the step, saves, exits 130 or 143; resume continues",
        arguments: [SIGINT, SIGTERM, SIGHUP], [1, 2])
    func signals(number: Int32, times: Int) throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        let path = folder.file("m.safetensors")
        let process = Commands.process(
            "train",
            [corpus, "--epochs", "20000", "--hidden", "16", "--output", path, "--metrics", folder.file("m.jsonl")])
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // The first line of metrics says that training is under way.
        while ((try? String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8))?.count ?? 0) < 10
            && process.isRunning
        {
            usleep(10_000)
        }
        for _ in 0..<times { kill(process.processIdentifier, number) }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + number)
        let resumed = try Commands.run("train", ["--resume", folder.file("m.last.safetensors"), "--steps", "5"])
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(resumed.text.contains("model: \(path)") && resumed.error.contains("spent its budget"))
    }

    @Test("A signal that comes a while after the first ends a training at once, even one that nobody listens to")
    func secondSignal() throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        let metrics = folder.file("m.jsonl")
        let process = Commands.process(
            "train",
            [
                corpus, "--epochs", "20000", "--hidden", "16", "--output", folder.file("m.safetensors"), "--metrics",
                metrics, "--quiet",
            ])
        // The pipe is full, so that the message of the first signal waits.
        let messages = Pipe()
        let end = messages.fileHandleForWriting.fileDescriptor
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
        while write(end, "x", 1) == 1 {}
        _ = fcntl(end, F_SETFL, 0)
        process.standardError = messages
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        for _ in 0..<6_000 where process.isRunning {
            if ((try? String(contentsOfFile: metrics, encoding: .utf8))?.count ?? 0) > 10 { break }
            usleep(10_000)
        }
        kill(process.processIdentifier, SIGTERM)
        usleep(1_000_000)
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGTERM)
        for _ in 0..<1_000 where process.isRunning { usleep(10_000) }
        let ended = !process.isRunning
        if !ended { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(ended && process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
    }
}
