import ArgumentParser
import CommandSupport
import Completions
import Dispatch
import FoundationEssentials
import Logging
import Serving
import Synchronization

/// Serves models to a page in the browser and to programs.
@main
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escriba-serve",
        abstract: "Serve models on this machine, to a page in the browser and to programs.",
        discussion: """
            Open http://127.0.0.1:8080 to write with a model. Programs use the completions interface of OpenAI, at \
            http://127.0.0.1:8080/v1. SIGHUP reads the models again; Ctrl-C ends the server.

            LIMITS (--limit NAME=NUMBER):
            \(limits)
            """,
        version: versionText)

    /// Each limit with what it means and its usual value.
    private static var limits: String {
        Limits.settings.map { setting in
            let name = setting.name.padding(toLength: 16)
            return "  \(name) \(setting.about) (default: \(setting.value(in: Limits())))"
        }.joined(separator: "\n")
    }

    @Argument(help: ArgumentHelp("Models made by train, and folders of models.", valueName: "model"))
    var models: [String]
    @Option(help: "The address to listen on; another than this machine's needs a key.") var host = "127.0.0.1"
    @Option(help: "The port to listen on.") var port = 8080
    @Option(help: "A file whose first line is the key that requests must carry.", completion: .file())
    var apiKeyFile: String?
    @Option(help: "Another name under which the server may be asked, such as that of a proxy; can be repeated.")
    var name: [String] = []
    @Option(help: "A limit, as NAME=NUMBER; can be repeated.") var limit: [String] = []
    @OptionGroup var threading: ThreadOptions

    static func main() { runAndExit() }

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port \(port): it must be from 0 to 65535") }
        guard ServerOptions.isLoopback(host) || apiKeyFile != nil else {
            throw ValidationError("--host \(host): others could use your models; give an --api-key-file")
        }
    }

    func run() throws {
        var options = ServerOptions()
        (options.host, options.port, options.names) = (host, port, name.map { $0.lowercased() })
        do throws(APIError) { for text in limit { try options.limits.set(text) } } catch {
            throw UsageError("--limit \(error.message)")
        }
        if let apiKeyFile { options.apiKey = try key(in: apiKeyFile) }
        let table: ModelTable
        do { table = try ModelTable(models, limits: options.limits, threads: threading.count) } catch let error
            as APIError
        {
            throw UsageError(error.message)
        }
        try waiting { [options, host] in
            do { try await Self.serve(table, options) } catch let error as ListeningError {
                throw UsageError("\(host):\(options.port): \(error.reason); another --port may be free")
            }
        }
    }

    private static func serve(_ table: ModelTable, _ options: ServerOptions) async throws {
        var logger = Logger(label: "escriba-serve") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .notice
        if !ServerOptions.isLoopback(options.host) {
            logger.warning("the key and the texts travel unencrypted; use ssh or a proxy with TLS")
        }
        for complaint in table.complaints { logger.warning("\(complaint)") }
        try await Server(table, options: options, logger: logger).run { port in
            let names = table.offers.map(\.name).joined(separator: ", ")
            let host = options.host.contains(":") ? "[\(options.host)]" : options.host
            StandardError.print("serving \(names)")
            StandardError.print(
                "to write: http://\(host):\(port)   for programs: http://\(host):\(port)/v1   Ctrl-C ends it")
        }
    }

    private func key(in path: String) throws -> [UInt8] {
        guard let text = try? String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) else {
            throw UsageError("--api-key-file \(path): it cannot be read")
        }
        let key = text.split(whereSeparator: \.isNewline).first.map { Array($0.utf8) } ?? []
        guard key.count >= 16 else {
            throw UsageError("--api-key-file \(path): its first line must be a key of 16 bytes or more")
        }
        return key
    }
}

/// Runs a body to its end.
private func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
    let isDone = DispatchSemaphore(value: 0)
    let failure = Box()
    Task.detached {
        do { try await body() } catch { failure.error.withLock { $0 = error } }
        isDone.signal()
    }
    isDone.wait()
    if let error = failure.error.withLock({ $0 }) { throw error }
}

private final class Box: Sendable {
    let error = Mutex<(any Error)?>(nil)
}

extension String {
    fileprivate func padding(toLength length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - count))
    }
}
