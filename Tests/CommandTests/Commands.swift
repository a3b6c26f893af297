import Foundation

/// One run of a built command.
struct CommandResult {
    var status: Int32
    var output: Data
    var error: String

    var text: String { String(decoding: output, as: UTF8.self) }
}

/// Finds and runs the commands that were built with the tests.
enum Commands {
    private static let folder: URL = {
        // The test bundle (or, with Swift Testing, the runner) stands beside the commands.
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL ?? Bundle.main.bundleURL
        return bundle.pathExtension == "xctest" ? bundle.deletingLastPathComponent() : bundle
    }()

    static func process(
        _ name: String, _ arguments: [String], folder: String? = nil, environment: [String: String] = [:]
    ) -> Process {
        let process = Process()
        process.executableURL = Self.folder.appendingPathComponent(name)
        process.arguments = arguments
        // Help screens wrap at the width of the terminal.
        process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
            .merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        return process
    }

    static func run(
        _ name: String, _ arguments: [String], input: String = "", folder: String? = nil,
        environment: [String: String] = [:]
    ) throws -> CommandResult {
        try collect(process(name, arguments, folder: folder, environment: environment), input: input)
    }

    /// Runs a program at a path, as a link to a command.
    static func run(at path: String, _ arguments: [String]) throws -> CommandResult {
        let process = process("", arguments)
        process.executableURL = URL(fileURLWithPath: path)
        return try collect(process, input: "")
    }

    private static func collect(_ process: Process, input: String) throws -> CommandResult {
        let (output, error, standardInput) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        process.standardInput = standardInput
        try process.run()
        // Small enough for the pipe's own buffer.
        standardInput.fileHandleForWriting.write(Data(input.utf8))
        standardInput.fileHandleForWriting.closeFile()
        let collected = Collector(error.fileHandleForReading)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return CommandResult(
            status: process.terminationStatus, output: data, error: String(decoding: collected.wait(), as: UTF8.self))
    }
}

/// Reads a pipe to its end on a thread of its own, so that neither of two pipes can fill up.
private final class Collector: @unchecked Sendable {
    private var data = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle) {
        Thread.detachNewThread { [self] in
            data = handle.readDataToEndOfFile()
            done.signal()
        }
    }

    func wait() -> Data {
        done.wait()
        return data
    }
}
