import ArgumentParser
import CharacterModel
import CommandSupport
import Glibc

/// The program `escriba`, with a subcommand for each command.
public struct Escriba: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "escriba",
        abstract: "Train a recurrent network on your own text; write with it, and measure with it.",
        discussion: """
            EXAMPLES:
              escriba demo
              escriba train poems.txt --time-limit 3m
              escriba sample checkpoints/poems --prompt "Once" --temperature 0.7
              escriba perplexity checkpoints/poems other.txt --html page.html
            """,
        version: versionText, subcommands: [Train.self, Sample.self, Perplexity.self, Inspect.self])

    public init() {}

    /// Runs the command that the program was called as.
    public static func main() -> Never {
        let commands = configuration.subcommands
        if let command = commands.first(where: { $0._commandName == Invocation.current.command }) {
            command.runAndExit()
        }
        let name = CommandLine.arguments.dropFirst().first ?? ""
        let isBuiltIn = name == "help" || commands.contains { $0._commandName == name }
        if !isBuiltIn && name.wholeMatch(of: /[a-z]+/) != nil { runNeighbour("escriba-" + name) }
        runAndExit()
    }

    /// Becomes a program that stands beside this one: `escriba demo` runs `escriba-demo`.
    private static func runNeighbour(_ name: String) -> Never {
        let place = folder(of: linkTarget("/proc/self/exe"))
        // The arguments as they came: they may be paths that are not UTF-8.
        CommandLine.unsafeArgv[1] = strdup(place + "/" + name)
        execv(place + "/" + name, CommandLine.unsafeArgv + 1)
        let reason = errno == ENOENT ? "" : ": " + String(cString: strerror(errno))
        printError(
            "there is no command \(name.dropFirst("escriba-".count)) (\(place)/\(name)\(reason)); see escriba --help")
        Glibc.exit(ExitStatus.usage)
    }
}
