import ArgumentParser
import CharacterModel
import CommandSupport
import Glibc

/// The program `escriba`, with a subcommand for each command.
public struct Escriba: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: Invocation.current.whole,
        abstract: "Train a recurrent network on your own text; write with it, and measure with it.",
        discussion: """
            Programs beside it that are named escriba-NAME are commands too.

            EXAMPLES:
              \(Invocation.current.whole) demo
              \(Invocation.current.name(of: "train")) poems.txt --time-limit 3m
              \(Invocation.current.name(of: "sample")) checkpoints/poems --prompt "Once" --temperature 0.7
              \(Invocation.current.name(of: "perplexity")) checkpoints/poems other.txt --html page.html
            """,
        version: versionText, subcommands: [Train.self, Sample.self, Perplexity.self, Inspect.self, Demo.self])

    public init() {}

    /// Runs the command that the program was called as.
    public static func main() -> Never {
        Invocation.hasAllCommands.store(true, ordering: .relaxed)
        let commands = configuration.subcommands
        if let command = commands.first(where: { $0._commandName == Invocation.current.command }) {
            command.runAndExit()
        }
        let name = CommandLine.arguments.dropFirst().first ?? ""
        let isBuiltIn = name == "help" || commands.contains { $0._commandName == name }
        if !isBuiltIn && name.wholeMatch(of: /[a-z][a-z0-9-]*/) != nil { runNeighbour(name) }
        runAndExit()
    }

    /// Becomes a program that stands beside this one: `escriba demo` runs `escriba-demo`.
    fileprivate static func runNeighbour(_ name: String) -> Never {
        let path = folder(of: linkTarget("/proc/self/exe")) + "/escriba-" + name
        // The arguments as they came: they may be paths that are not UTF-8.
        CommandLine.unsafeArgv[1] = strdup(path)
        execv(path, CommandLine.unsafeArgv + 1)
        let reason =
            switch (errno, name) {
            case (ENOENT, "serve"): "\(path) is not installed; make serve builds it"
            case (ENOENT, let name) where name != "demo": "there is no command \(name)"
            default: "\(path): \(String(cString: strerror(errno)))"
            }
        printError("\(reason); see \(Invocation.current.whole) --help")
        Glibc.exit(ExitStatus.usage)
    }
}

/// `escriba demo`, a program of its own.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show what it does, in a minute and a half.",
        discussion: """
            Invents names of languages, learns a book for 45 seconds, and writes and scores text; with texts, it learns \
            those instead. Models and pages for the browser go into checkpoints/demo.
            """)

    @Argument(help: ArgumentHelp("Texts and folders of texts.", valueName: "file"), completion: .file())
    var files: [String] = []

    func run() { Escriba.runNeighbour("demo") }
}
