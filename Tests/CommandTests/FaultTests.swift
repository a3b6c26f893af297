import Foundation
import TestSupport
import Testing

@Suite("Commands under faults")
struct FaultTests {
    @Test("A second run on the same output is refused while the first one runs, but not after it was killed")
    func secondRun() throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        let path = folder.file("m.safetensors")
        let first = Commands.process(
            "train",
            [
                corpus, "--epochs", "20000", "--hidden", "16", "--output", path, "--metrics", folder.file("m.jsonl"),
                "--checkpoint-every", "10ms",
            ])
        first.standardError = FileHandle.nullDevice
        first.standardOutput = FileHandle.nullDevice
        try first.run()
        while !FileManager.default.fileExists(atPath: folder.file("m.last.safetensors")) && first.isRunning {
            usleep(10_000)
        }
        for arguments in [
            [corpus, "--output", path, "--steps", "1"], ["--resume", folder.file("m.last.safetensors")],
        ] {
            let second = try Commands.run("train", arguments)
            #expect(
                second.status == 73 && second.error.contains("another training run is writing \(path)"),
                "\(second.error)")
        }
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        let third = try Commands.run("train", ["--resume", folder.file("m.last.safetensors"), "--steps", "5"])
        #expect(third.status == 0, "\(third.error)")
        #expect(!FileManager.default.fileExists(atPath: path + ".lock"))
    }

    @Test("A training that explodes again and again ends with an error that says so")
    func diverged() throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "corpus.txt")
        let result = try Commands.run(
            "train",
            [
                corpus, "--output", folder.file("m.safetensors"), "--hidden", "8", "--steps", "50", "--learning-rate",
                "1e30",
                "--clip", "1e30", "--optimizer", "sgd", "--max-recoveries", "2",
            ])
        #expect(result.status == 65)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["corpus.txt"])
        #expect(result.error.contains("recovery 2 of 2") && result.error.contains("2 returns to an earlier state"))
    }
}
