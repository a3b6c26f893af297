/// How the program was called: as `escriba train`, as `escriba-train` (a link to it), or as `train`.
public struct Invocation: Sendable {
    /// The folder it was called with, if any.
    private let folder: String
    /// What comes before the name of a command: `escriba `, `escriba-` or nothing.
    private let prefix: String
    /// The parser's name of the command that the program is; nil for `escriba`.
    public let command: String?

    /// This process.
    public static let current = Invocation(program: CommandLine.arguments.first ?? "")

    /// - Parameter program: the path it was called by.
    package init(program: String) {
        let name = String(program.split(separator: "/").last ?? "")
        let prefix = name == "escriba" ? "escriba " : name.hasPrefix("escriba-") ? "escriba-" : ""
        let isKnown =
            name == "escriba" || ["train", "sample", "perplexity", "inspect"].contains { prefix + $0 == name }
        self.prefix = prefix
        command = name == "escriba" ? nil : name
        folder = isKnown ? String(program.dropLast(name.count)) : ""
    }

    /// The arguments of the command.
    public var arguments: [String] { Array(CommandLine.arguments.dropFirst(command == nil ? 2 : 1)) }

    /// A command's name as users type it: `escriba train`.
    public func name(of command: String) -> String { prefix + command }

    /// A command's name for the parser, which itself puts `escriba` before it.
    public func parserName(of command: String) -> String { prefix == "escriba " ? command : prefix + command }

    /// The beginning of a command line that runs a command: its name with the folder, quoted for a shell.
    public func line(of command: String) -> String {
        prefix == "escriba " ? quoted(folder + "escriba") + " " + command : quoted(folder + prefix + command)
    }
}
