import ArgumentParser
import Glibc

/// The exit codes of the commands (sysexits).
public enum ExitStatus {
    public static let done: Int32 = 0
    public static let usage: Int32 = 64
    public static let badData: Int32 = 65
    public static let missingInput: Int32 = 66
    public static let internalError: Int32 = 70
    public static let cannotCreate: Int32 = 73
    public static let inputOutput: Int32 = 74
}

/// Ends a command with a code and without a message.
public struct Exit: Error {
    public let code: Int32

    public init(_ code: Int32) { self.code = code }
}

extension ParsableCommand {
    /// Parses the command line and runs the command. Every error is one line on stderr and an exit code.
    public static func runAndExit() -> Never {
        // A closed pipe and a file over its size limit are reported as errors; their signals are ignored.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            try refuseInvalidArguments()
            var command = try parseAsRoot(Array(CommandLine.arguments.dropFirst()))
            if !isFollower || command is any LaunchedCommand { try command.run() }
            Glibc.exit(ExitStatus.done)
        } catch {
            let code = conclude(error)
            // A launcher ends all ranks when one fails; rank 0 is to speak before.
            if isFollower && code != ExitStatus.done { sleep(2) }
            Glibc.exit(code)
        }
    }

    /// Swift would repair an argument that is not UTF-8, and read a different text than was typed.
    private static func refuseInvalidArguments() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            throw UsageError("argument \(index) is not UTF-8; put such bytes in a file (sample: --prompt-file)")
        }
    }

    /// The command whose help explains an error.
    private static var helpName: String {
        let first = CommandLine.arguments.dropFirst().first
        let isSubcommand = configuration.subcommands.contains { $0._commandName == first }
        return isSubcommand ? Invocation.current.name(of: first ?? "") : _commandName
    }

    /// Prints an error, and returns the exit code.
    static func conclude(_ error: any Error) -> Int32 {
        if let code = report(error) { return code }
        switch exitCode(for: error) {
        case .success:
            // Help and version are thrown as errors.
            try? StandardOutput.write(fullMessage(for: error) + "\n")
            return ExitStatus.done
        case .validationFailure:
            let message = message(for: error).split(whereSeparator: \.isNewline).joined(separator: "; ")
            let sentence = message.hasSuffix(".") ? String(message.dropLast()) : message
            printError("\(sentence); see \(helpName) --help")
            return ExitStatus.usage
        default:
            printError("\(error); please report this")
            return ExitStatus.internalError
        }
    }
}

/// Writes one line that begins with `error:` to stderr.
public func printError(_ message: String) {
    StandardError.write("error: \(message)\n")
}
