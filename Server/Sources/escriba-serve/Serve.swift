import ArgumentParser
import Completions
import FoundationEssentials
import Logging
import Serving

@main
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escriba-serve", abstract: "Serve models on this machine, to programs and to a page in the browser.",
        discussion: "Programs use the completions interface of OpenAI at http://127.0.0.1:8080/v1.")

    @Argument(help: ArgumentHelp("Models made by train, and folders of models.", valueName: "model"))
    var models: [String]
    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "The port to listen on.") var port = 8080
    @Option(help: "A file with the key that requests must carry; needed for another host.") var apiKeyFile: String?
    @Option(help: "Another name under which the server may be asked, such as that of a proxy.") var name: [String] = []
    @Option(help: "Threads to use. (default: all cores)") var threads: Int?

    func validate() throws {
        guard ServerOptions.isLoopback(host) || apiKeyFile != nil else {
            throw ValidationError("--host \(host): others could use your models; give an --api-key-file")
        }
    }

    func run() async throws {
        var options = ServerOptions()
        (options.host, options.port, options.names) = (host, port, name)
        if let apiKeyFile { options.apiKey = try key(in: apiKeyFile) }
        var logger = Logger(label: "escriba-serve") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .notice
        if !ServerOptions.isLoopback(host) {
            logger.warning("the key and the texts travel unencrypted; use ssh or a proxy with TLS")
        }
        let table = try ModelTable(models, limits: options.limits, threads: threads)
        try await Server(table, options: options, logger: logger).run { [host] port in
            print("serving \(table.offers.map(\.name).joined(separator: ", ")) at http://\(host):\(port)")
        }
    }

    private func key(in path: String) throws -> [UInt8] {
        let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        let key = text.split(whereSeparator: \.isNewline).first.map { Array($0.utf8) } ?? []
        guard key.count >= 16 else { throw ValidationError("--api-key-file \(path): its first line must have 16 bytes or more") }
        return key
    }
}
