import CharacterModel
import Completions
import Foundation
import Logging
import Testing
import Tokenization
import Training

@testable import Serving

/// A small model, trained once.
let modelPath: String = try! SmallModel.train("small", on: "the scribe wrote bread and rain, and again the river. ")

enum SmallModel {
    private static let folder: String = {
        let folder = NSTemporaryDirectory() + "escriba-serving-\(getpid())"
        try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }()

    /// Trains a model on a text that is repeated; returns its path.
    static func train(_ name: String, on text: String, unit: TextUnit = .grapheme, records: String = "none") throws
        -> String
    {
        let path = "\(folder)/\(name).safetensors"
        var options = TrainingOptions()
        (options.hidden, options.budget, options.counts, options.records) = (16, .steps(60), false, records)
        options.unit = unit
        let bytes = Array(String(repeating: text, count: 100).utf8)
        let data = try TrainingData(reading: [.bytes(bytes, name: "text")], options: options)
        _ = try Trainer(on: data, options: options, output: .init(path: path)).run()
        return path
    }
}

/// Runs a server while a body talks to it.
func serving(
    _ models: [String] = [modelPath], _ options: ServerOptions = ServerOptions(),
    _ body: (Int) async throws -> Void
) async throws {
    var options = options
    options.port = 0
    let table = try ModelTable(models, limits: options.limits)
    let server = Server(table, options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    let task = Task { try await server.run(endingOn: [], reloadingOn: []) { continuation.yield($0) } }
    defer { task.cancel() }
    for await port in ports {
        try await body(port)
        break
    }
}

func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// The text of each choice.
func texts(_ answer: String) throws -> [String] {
    try #require(object(answer)["choices"] as? [[String: Any]]).map { try #require($0["text"] as? String) }
}

/// How many texts are being generated, and how many wait.
func load(_ port: Int) async throws -> [Double] {
    [try await metric("streams", port), try await metric("queue", port)]
}

/// The sum of a metric over all models.
func metric(_ name: String, _ port: Int) async throws -> Double {
    try await RawClient.ask(port, "GET", "/metrics").body.split(separator: "\n").filter {
        $0.hasPrefix("escriba_\(name){")
    }
    .reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? .nan) }
}

/// Waits until something holds; an error after a minute.
func until(_ what: String, _ holds: () async throws -> Bool) async throws {
    for _ in 0..<3_000 {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("waited in vain until \(what)")
}
