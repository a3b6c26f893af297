import Cluster
import CommandSupport
import Foundation
import TestSupport
import Testing

/// Commands that a launcher has started, without an MPI library: what they find in their environment.
@Suite("Commands under a launcher")
struct LaunchedCommandTests {
    private func run(
        _ name: String, _ arguments: [String], environment: [String: String], folder: TemporaryFolder
    ) throws -> CommandResult {
        try Commands.run(name, arguments, folder: folder.path, environment: environment)
    }

    private func text(in folder: TemporaryFolder) throws -> [String] {
        [try folder.write(String(repeating: sampleText, count: 4), to: "t.txt"), "--steps", "3", "--hidden", "8"]
    }

    @Test("A rank without a plug-in says in one line which is missing")
    func noPlugin() throws {
        let folder = try TemporaryFolder()
        for (rank, lines) in [(0, 1), (1, 1)] {
            let environment = [
                "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "\(rank)", "ESCRIBA_MPI": "/nowhere/x.so",
            ]
            let result = try run("train", text(in: folder), environment: environment, folder: folder)
            #expect(result.status == 66 && result.text.isEmpty)
            #expect(result.error.split(separator: "\n").count == lines, "\(result.error)")
            #expect(result.error.hasPrefix("error: /nowhere/x.so cannot be used"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("checkpoints")))
    }

    @Test("The script of a Slurm job, and one process of mpirun, train as usual")
    func alone() throws {
        let folder = try TemporaryFolder()
        for environment in [
            ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "8", "SLURM_PROCID": "0"],
            ["OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"],
            ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2", "ESCRIBA_MPI": "none"],
        ] {
            let result = try run("train", text(in: folder), environment: environment, folder: folder)
            #expect(result.status == 0 && result.text.hasPrefix("model: "), "\(result.error)")
        }
    }

    @Test("Of a command that ranks do not share, only rank 0 runs")
    func followers() throws {
        let folder = try TemporaryFolder()
        let environment = ["PMI_SIZE": "2", "PMI_RANK": "1"]
        let result = try run("sample", ["nothing.safetensors"], environment: environment, folder: folder)
        #expect(result.status == 0 && result.text.isEmpty && result.error.isEmpty)
    }
}

/// The commands under the launcher of an MPI library, where one is installed with its compiler.
@Suite("Commands under mpirun", .enabled(if: Launch.isPossible), .serialized)
struct LaunchTests {
    private let folder: TemporaryFolder
    private let launch: Launch

    init() throws {
        folder = try TemporaryFolder()
        launch = try Launch(plugin: folder.file("plugin.so"))
        _ = try folder.write(String(repeating: sampleText, count: 30), to: "t.txt")
    }

    private static let training = [
        "t.txt", "--batch", "64", "--hidden", "24", "--layers", "2", "--dropout", "0.2", "--window", "16", "--seed",
        "5",
        "--threads", "1", "--evaluate-every", "10",
    ]

    private func hash(_ name: String) -> String {
        Tensors.sha256([folder.file("\(name).safetensors"), folder.file("\(name).last.safetensors")])
    }

    @Test("Two and three ranks leave the tensors of one process, and go on with what each other left")
    func bits() throws {
        let (part, whole) = (["--steps", "20"], ["--steps", "40"])
        let alone = try Commands.run(
            "train", Self.training + whole + ["--output", "a.safetensors"], folder: folder.path)
        #expect(alone.status == 0)
        let two = try launch.run(2, "train", Self.training + whole + ["--output", "b.safetensors"], in: folder)
        #expect(two.status == 0 && two.text.split(separator: "\n").count == 3, "\(two.error)")
        #expect(hash("b") == hash("a"))
        let first = try launch.run(3, "train", Self.training + part + ["--output", "c.safetensors"], in: folder)
        #expect(first.status == 0, "\(first.error)")
        for kind in ["safetensors", "last.safetensors"] {
            try FileManager.default.copyItem(atPath: folder.file("c.\(kind)"), toPath: folder.file("d.\(kind)"))
        }
        let second = try launch.run(
            2, "train", ["--resume", "c.last.safetensors"] + whole + ["--threads", "1"], in: folder)
        let third = try Commands.run("train", ["--resume", "d.last.safetensors"] + whole, folder: folder.path)
        #expect(second.status == 0 && third.status == 0, "\(second.error)")
        #expect(hash("c") == hash("d") && hash("c") != hash("a"))
        let files = ["t.txt", "t.txt"]
        let measured = try launch.run(2, "perplexity", ["a.safetensors"] + files + ["--format", "json"], in: folder)
        let expected = try Commands.run(
            "perplexity", ["a.safetensors"] + files + ["--format", "json"], folder: folder.path)
        #expect(measured.status == 0 && measured.text == expected.text, "\(measured.error)")
    }

    @Test("Mistakes cost one line: a batch that is too small, arguments that differ, a text that is missing")
    func mistakes() throws {
        func lines(_ result: CommandResult) -> [Substring] {
            result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        }
        let small = try launch.run(3, "train", ["t.txt", "--batch", "16", "--steps", "3"], in: folder)
        #expect(small.status != 0 && lines(small).count == 1)
        #expect(
            lines(small) == [
                "error: a batch has 16 lanes, too few for 3 ranks; start 2 or fewer or give --batch 24 or more"
            ])
        let missing = try launch.run(2, "train", ["none.txt"], in: folder)
        #expect(missing.status != 0 && lines(missing).count == 1, "\(missing.error)")
        let model = try launch.run(2, "perplexity", ["none.safetensors", "t.txt"], in: folder)
        #expect(model.status != 0 && lines(model).count == 1, "\(model.error)")
        let other = ["t.txt", "--seed", "2", "--steps", "3"]
        let differs = try launch.start(
            1, "train", ["t.txt", "--seed", "1", "--steps", "3"], besides: other, in: folder
        ).wait()
        #expect(
            lines(differs) == [
                "error: rank 1 differs in its arguments: t.txt --seed 2 --steps 3, not t.txt --seed 1 --steps 3 as rank 0; "
                    + "make them equal"
            ])
    }

    @Test("A tuning is shared, and the training goes on with its winner; threads may differ")
    func tuning() throws {
        let arguments = ["t.txt", "--tune=1s", "--steps", "5", "--batch", "32", "--output", "u.safetensors"]
        let result = try launch.start(
            1, "train", arguments + ["--threads", "2"], besides: arguments + ["--threads=1"], in: folder
        ).wait()
        #expect(result.status == 0 && result.text.hasPrefix("model: u.safetensors"), "\(result.error)")
        #expect(
            result.error.contains("2 candidates at a time")
                && !FileManager.default.fileExists(atPath: folder.file("u.tune")))
    }

    @Test("SIGTERM to a rank other than 0 stops all, with everything saved", .timeLimit(.minutes(5)))
    func signal() throws {
        let arguments = Self.training + ["--steps", "1000000", "--output", "s.safetensors"]
        let job = try launch.start(2, "train", arguments, in: folder)
        let rank = try job.process(ofRank: 1)
        kill(rank, SIGTERM)
        let result = job.wait()
        #expect(result.status == 143, "\(result.error)")
        #expect(result.error.contains("stopped; resume with: "), "\(result.error)")
        let more = try launch.run(
            3, "train", ["--resume", "s.last.safetensors", "--steps", "1", "--threads", "1"], in: folder)
        #expect(more.status == 0, "\(more.error)")
    }

    @Test("A rank that is killed ends all; what was saved is whole", .timeLimit(.minutes(5)))
    func death() throws {
        let arguments =
            Self.training + ["--steps", "1000000", "--checkpoint-every", "100ms", "--output", "k.safetensors"]
        let job = try launch.start(2, "train", arguments, in: folder)
        let rank = try job.process(ofRank: 1)
        while !FileManager.default.fileExists(atPath: folder.file("k.last.safetensors")) { usleep(50_000) }
        kill(rank, SIGKILL)
        #expect(job.wait().status != 0)
        let more = try launch.run(
            2, "train", ["--resume", "k.last.safetensors", "--steps", "1", "--threads", "1"], in: folder)
        #expect(more.status == 0, "\(more.error)")
    }
}
