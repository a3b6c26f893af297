import Synchronization

/// How the program was called: as `escriba train`, as `escriba-train` (a link to it), or as `train`.
public struct Invocation: Sendable {
    /// The program without its folder.
    private let program: String
    /// The folder it was called with, if any.
    private let folder: String
    /// What comes before the name of a command: `escriba `, `escriba-` or nothing.
    private let prefix: String
    /// The parser's name of the command that the program is; nil for the program that has all of them.
    public let command: String?

    /// This process.
    public static let current = Invocation(
        program: CommandLine.arguments.first ?? "", hasAll: hasAllCommands.load(ordering: .relaxed))

    /// Set by the program that has all commands, before anything else.
    public static let hasAllCommands = Atomic(false)

    /// - Parameters:
    ///   - path: what it was called by.
    ///   - hasAll: whether the program has all commands; then any other name is taken for another name of `escriba`.
    package init(program path: String, hasAll: Bool) {
        let program = String(path.split(separator: "/").last ?? "")
        let commands = ["train", "sample", "perplexity", "inspect"]
        let isLink = commands.contains { program == "escriba-" + $0 }
        let isCommand = isLink || commands.contains(program) || !hasAll
        prefix = isLink ? "escriba-" : isCommand ? "" : program + " "
        command = isCommand ? program : nil
        // A test's program is not one of ours.
        let isOurs = isLink || hasAll || commands.contains(program)
        folder = isOurs ? String(path.dropLast(program.count)) : ""
        self.program = hasAll && !isCommand ? program : "escriba"
    }

    /// The arguments of the command.
    public var arguments: [String] { Array(CommandLine.arguments.dropFirst(command == nil ? 2 : 1)) }

    /// The name of the program that has all commands.
    public var whole: String { program }

    /// A command's name as users type it: `escriba train`.
    public func name(of command: String) -> String { prefix + command }

    /// A command's name for the parser, which itself puts `escriba` before it.
    public func parserName(of command: String) -> String { self.command == nil ? command : prefix + command }

    /// The beginning of a command line that runs a command: its name with the folder, quoted for a shell.
    public func line(of command: String) -> String {
        self.command == nil ? quoted(folder + program) + " " + command : quoted(folder + prefix + command)
    }
}
