import Foundation
import TestSupport

/// Runs commands under the launcher of Open MPI, with a plug-in that is compiled here.
struct Launch {
    private static let (launcher, compiler) = ("/usr/bin/mpirun.openmpi", "/usr/bin/mpicc.openmpi")

    /// Whether it is installed.
    static var isPossible: Bool {
        [launcher, compiler].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private let environment: [String: String]

    /// - Parameter path: where the plug-in is put.
    init(plugin path: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let built = try Commands.run(
            at: Self.compiler,
            ["-shared", "-fPIC", "-I", root + "/Sources/CMPI/include", root + "/Plugins/mpi.c", "-o", path])
        guard built.status == 0 else { throw Failed(description: built.error) }
        environment = [
            "ESCRIBA_MPI": path, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        ]
    }

    struct Failed: Error, CustomStringConvertible { var description: String }

    func run(
        _ ranks: Int, _ name: String, _ arguments: [String], in folder: TemporaryFolder
    ) throws -> CommandResult {
        try start(ranks, name, arguments, in: folder).wait()
    }

    /// - Parameter other: the arguments of one more rank.
    func start(
        _ ranks: Int, _ name: String, _ arguments: [String], besides other: [String]? = nil, in folder: TemporaryFolder
    ) throws -> Job {
        let process = Commands.process(name, [], folder: folder.path, environment: environment)
        let command = process.executableURL!.path
        process.executableURL = URL(fileURLWithPath: Self.launcher)
        process.arguments =
            ["--oversubscribe", "--bind-to", "none", "-np", "\(ranks)", command] + arguments
            + (other.map { [":", "-np", "1", command] + $0 } ?? [])
        let (output, error) = (folder.file("launch.out"), folder.file("launch.err"))
        for path in [output, error] { try Data().write(to: URL(fileURLWithPath: path)) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: error)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Job(process: process, command: command, output: output, error: error)
    }

    /// A launch that runs.
    struct Job {
        let process: Process
        let command: String
        let output: String
        let error: String

        func wait() -> CommandResult {
            process.waitUntilExit()
            return CommandResult(
                status: process.terminationStatus, output: FileManager.default.contents(atPath: output) ?? Data(),
                error: (try? String(contentsOfFile: error, encoding: .utf8)) ?? "")
        }

        /// The process of a rank, once it trains.
        func process(ofRank rank: Int) throws -> pid_t {
            while process.isRunning {
                usleep(50_000)
                let says = (try? String(contentsOfFile: error, encoding: .utf8)) ?? ""
                guard says.contains("steps to go") else { continue }
                for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                    guard let id = pid_t(name), parent(of: id) == process.processIdentifier,
                        let variables = FileManager.default.contents(atPath: "/proc/\(id)/environ")
                    else { continue }
                    let list = variables.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                    if list.contains("OMPI_COMM_WORLD_RANK=\(rank)") { return id }
                }
            }
            throw Failed(description: wait().error)
        }

        private func parent(of id: pid_t) -> pid_t? {
            let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
            let line = status?.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            return line.flatMap { pid_t($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) }
        }
    }
}
