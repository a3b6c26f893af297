import CharacterModel
import Foundation
import TestSupport
import Testing

@testable import Training

/// What becomes of metrics files that stand where a training writes.
@Suite("Metrics in use")
struct MetricsUseTests {
    private let folder: TemporaryFolder
    private let metrics: [String]

    init() throws {
        folder = try TemporaryFolder()
        metrics = ["--metrics", folder.file("m.jsonl"), "--log-every", "1"]
    }

    private func text(_ name: String) -> String? { try? String(contentsOfFile: folder.file(name), encoding: .utf8) }

    private func steps(_ name: String) throws -> [Int] {
        try MetricsLine.lines(of: Data((text(name) ?? "").utf8), name: name).map(\.step)
    }

    private func train(_ more: [String], output: String = "m.safetensors") throws -> CommandResult {
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        return try Commands.run(
            "train", [corpus, "--hidden", "8", "--steps", "5", "--output", folder.file(output)] + more)
    }

    private func resume(_ name: String, _ more: [String] = []) throws -> CommandResult {
        try Commands.run("train", ["--resume", folder.file(name), "--steps", "7"] + more)
    }

    @Test("Metrics of an earlier training are kept under its model's number, and continue with it")
    func earlier() throws {
        // One without metrics, so that numbers could part.
        _ = try train([])
        _ = try train(metrics)
        let second = try #require(text("m.jsonl"))
        let third = try train(metrics + ["--seed", "2"])
        #expect(third.status == 0 && third.error.contains("the earlier metrics are kept as"))
        #expect(text("m.2.jsonl") == second && text("m.1.jsonl") == nil && text("m.jsonl") != second)
        let kept = text("m.jsonl")
        let resumed = try resume("m.2.last.safetensors")
        #expect(resumed.status == 0 && text("m.jsonl") == kept, "\(resumed.error)")
        // The exact line of its first end has gone, as those of steps done again do.
        let goneOn = try #require(text("m.2.jsonl"))
        #expect(goneOn.hasPrefix(second.split(separator: "\n").dropLast().joined(separator: "\n")))
        #expect(try steps("m.2.jsonl").max() == 7)
        _ = try train(metrics + ["--overwrite"])
        #expect(text("m.3.jsonl") == nil && text("m.jsonl") != kept)
    }

    @Test("Another name for the same file continues it; another training's file is appended to")
    func named() throws {
        _ = try train(metrics)
        try FileManager.default.moveItem(atPath: folder.file("m.jsonl"), toPath: folder.file("moved.jsonl"))
        let first = try #require(text("moved.jsonl"))
        _ = try folder.write(first + first, to: "moved.jsonl")
        let moved = try resume("m.last.safetensors", ["--metrics", folder.file("moved.jsonl")])
        let goneOn = try steps("moved.jsonl")
        #expect(moved.status == 0 && goneOn.count(where: { $0 == 6 }) == 1, "\(goneOn)")
        _ = try train(["--metrics", folder.file("o.jsonl"), "--log-every", "1"], output: "o.safetensors")
        let other = try #require(text("o.jsonl"))
        _ = try Commands.run(
            "train",
            ["--resume", folder.file("m.last.safetensors"), "--steps", "9", "--metrics", folder.file("o.jsonl")])
        #expect(try text("o.jsonl")?.hasPrefix(other) == true && steps("o.jsonl").contains(9))
    }

    @Test("A resumed training without recorded metrics leaves those of another training")
    func unknownLines() throws {
        // Stopped before the first line: no line is its own.
        _ = try train([
            "--metrics", folder.file("m.jsonl"), "--log-every", "1000", "--evaluate-every", "1000", "--steps", "5",
        ])
        let path = folder.file("m.last.safetensors")
        let whole = try Checkpoint(contentsOf: path, withState: true)
        var record = try #require(whole.training)
        (record.metricsLength, record.metricsFirstLine) = (0, nil)
        try Checkpoint(
            configuration: whole.configuration, vocabulary: whole.vocabulary, parameters: whole.parameters,
            training: record, state: whole.state, recoveryPoint: whole.recoveryPoint
        ).write(to: path)
        let there = try #require(text("m.jsonl"))
        let resumed = try resume("m.last.safetensors")
        #expect(resumed.status == 0 && text("m.1.jsonl") == there && text("m.jsonl") != there, "\(resumed.error)")
    }

    @Test("A file that is not metrics is left alone, in a new training, a resumed one and a tuning")
    func diary() throws {
        _ = try train([])
        let diary = try folder.write("my diary\n", to: "diary.txt")
        for result in [
            try train(["--metrics", diary, "--overwrite"]), try resume("m.last.safetensors", ["--metrics", diary]),
            try train(["--metrics", diary, "--tune", "1s"], output: "t.safetensors"),
        ] {
            #expect(result.status == 74 && result.error.contains("it does not hold metrics"), "\(result.error)")
            #expect(text("diary.txt") == "my diary\n")
        }
    }

    @Test("A report's metrics never replace kept ones")
    func report() throws {
        let report = ["--report", folder.file("r.html"), "--log-every", "1"]
        _ = try train(report)
        _ = try train(report)
        let kept = try #require(text("m.1.jsonl"))
        _ = try folder.write("", to: "m.jsonl")
        _ = try train(report + ["--overwrite"])
        #expect(text("m.1.jsonl") == kept && text("m.jsonl")?.isEmpty == false)
    }

    @Test("A pipe without a reader is an error, and one with a reader gets the lines")
    func pipes() throws {
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let refused = try train(["--metrics", pipe])
        #expect(refused.status == 73 && refused.error.contains("pipe"), "\(refused.error)")
        let reader = Process()
        reader.executableURL = URL(fileURLWithPath: "/bin/sh")
        reader.arguments = ["-c", "cat '\(pipe)' > '\(folder.file("read.jsonl"))'"]
        try reader.run()
        // Until the reader has it open.
        var result = try train(["--metrics", pipe, "--log-every", "1"])
        for _ in 0..<100 where result.status == 73 {
            usleep(50_000)
            result = try train(["--metrics", pipe, "--log-every", "1"])
        }
        reader.waitUntilExit()
        #expect(try result.status == 0 && steps("read.jsonl").contains(5), "\(result.error)")
    }

    @Test("A checkpoint of an earlier version, which knows no first line, never cuts a file that is newly named")
    func unknownFirstLine() throws {
        _ = try train(metrics)
        let path = folder.file("m.last.safetensors")
        let whole = try Checkpoint(contentsOf: path, withState: true)
        var record = try #require(whole.training)
        // A place where the other file's lines could be cut.
        _ = try train(["--metrics", folder.file("o.jsonl"), "--log-every", "1"], output: "o.safetensors")
        let other = try #require(text("o.jsonl"))
        record.metricsFirstLine = nil
        record.metricsLength = try #require(other.split(separator: "\n").first).utf8.count + 1
        try Checkpoint(
            configuration: whole.configuration, vocabulary: whole.vocabulary, parameters: whole.parameters,
            training: record, state: whole.state, recoveryPoint: whole.recoveryPoint
        ).write(to: path)
        let resumed = try resume("m.last.safetensors", ["--metrics", folder.file("o.jsonl")])
        #expect(resumed.status == 0 && text("o.jsonl")?.hasPrefix(other) == true, "\(resumed.error)")
    }

    @Test("Lines that a checkpoint says are waiting must be lines of metrics")
    func hostileLines() throws {
        _ = try train(metrics)
        let path = folder.file("m.last.safetensors")
        let whole = try Checkpoint(contentsOf: path, withState: true)
        var record = try #require(whole.training)
        record.metricsWaiting = "touch /tmp/pwned\n"
        record.metricsPath = try folder.write("#!/bin/sh\n", to: "script")
        record.metricsLength = 1_000_000
        try Checkpoint(
            configuration: whole.configuration, vocabulary: whole.vocabulary, parameters: whole.parameters,
            training: record, state: whole.state, recoveryPoint: whole.recoveryPoint
        ).write(to: path)
        let refused = try resume("m.last.safetensors")
        #expect(refused.status == 65 && refused.error.contains("metrics_waiting"), "\(refused.error)")
        #expect(text("script") == "#!/bin/sh\n")
    }
}
