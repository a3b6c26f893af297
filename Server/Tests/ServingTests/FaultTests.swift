import CharacterModel
import Completions
import Foundation
import Serving
import Testing

@Suite("Faults", .serialized)
struct FaultTests {
    @Test("A request that does not come, and a reader that stalls, lose their connections")
    func deadlines() async throws {
        var options = ServerOptions()
        (options.limits.requestSeconds, options.limits.readerSeconds) = (1, 1)
        try await serving([modelPath], options) { port in
            for beginning in [
                "", "GET / HT",
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
            ] {
                let client = try RawClient(port: port, seconds: 30)
                client.send(Array(beginning.utf8))
                #expect(await client.receive().isEmpty, "\(beginning)")
                client.close()
            }
            // One that is answered before its body has come, which comes then.
            let early = try RawClient(port: port, seconds: 30)
            let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            early.send(Array((head + "Content-Length: 5\r\n\r\n").utf8))
            #expect(await !early.receive().isEmpty)
            early.send(Array("abcde".utf8))
            while await !early.receive().isEmpty {}
            #expect(early.isClosed, "the connection is still there")
            early.close()
            let slow = try RawClient(port: port)
            let body = #"{"prompt": "the ", "max_tokens": 100000, "stream": true, "logprobs": 5}"#
            slow.ask(body)
            try await until("the text is being generated") { try await metric("streams", port) == 1 }
            try await until("the text is given up") { try await metric("streams", port) == 0 }
            #expect(try await metric("symbols_total", port) < 100_000)
            slow.close()
        }
    }

    /// REQUESTS=10000 for the long run.
    @Test("Malformed requests neither end the server, nor hold it, nor leave anything behind")
    func malformed() async throws {
        let count = Int(ProcessInfo.processInfo.environment["REQUESTS"] ?? "") ?? 500
        var options = ServerOptions()
        options.limits.requestSeconds = 2
        try await serving([modelPath], options) { port in
            var requests = MalformedRequests(seed: 20_261_128)
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            for number in 0..<count {
                let client = try RawClient(port: port, seconds: 5)
                let (pieces, finishes, reads) = requests.next()
                for piece in pieces { client.send(piece) }
                if finishes { client.finishSending() }
                if reads { _ = await client.receive() }
                client.close()
                if number % 500 == 0 {
                    #expect(try await RawClient.ask(port, "GET", "/health").status == 200, "after \(number)")
                }
            }
            try await until("all texts are gone") { try await load(port) == [0, 0] }
            try await until("all connections are closed") {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count <= descriptors + 2
            }
            let answer = try await RawClient.ask(port, body: #"{"prompt": "the ", "max_tokens": 5}"#)
            #expect(answer.status == 200)
        }
    }

    @Test("Models are read again on demand; one that is broken stays as it was")
    func reload() async throws {
        let path = try SmallModel.train("changing", on: "abc abc. ")
        let table = try ModelTable([path], limits: Limits())
        let service = CompletionService(table, limits: Limits())
        func text() async throws -> String {
            let json = Array(#"{"prompt": "a", "max_tokens": 20, "seed": 1}"#.utf8)
            let request = try CompletionRequest(JSONValue(parsing: json), limits: Limits())
            return try await service.begin(request).whole().choices[0].text
        }
        let before = try await text()
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        try good.dropLast(9).write(to: URL(fileURLWithPath: path))
        let complaints = await table.reload()
        #expect(complaints.count == 1 && complaints[0].contains("changing"), "\(complaints)")
        #expect(try await text() == before)
        let other = try SmallModel.train("other", on: "xyz, zyx! ")
        try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: path))
        #expect(await table.reload() == [])
        #expect(try await text() != before)
        #expect(table.offers.map(\.name) == ["changing"] && table.offers[0].symbols == 6)
        try FileManager.default.removeItem(atPath: path)
        #expect(await table.reload().count == 1)
        #expect(table.offers.count == 1)
    }

    @Test("Models are found by name, links in folders are not followed, and two of one name are refused")
    func files() throws {
        let folder = NSTemporaryDirectory() + "escriba-serving-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: APIError.self) { try ModelTable([folder], limits: Limits()) }
        for name in ["one", "two", "two.last"] {
            try FileManager.default.copyItem(atPath: modelPath, toPath: "\(folder)/\(name).safetensors")
        }
        try FileManager.default.createSymbolicLink(atPath: folder + "/link.safetensors", withDestinationPath: modelPath)
        #expect(try ModelTable([folder], limits: Limits()).offers.map(\.name) == ["one", "two"])
        #expect(try ModelTable([folder + "/one", modelPath], limits: Limits()).offers.map(\.name) == ["one", "small"])
        #expect(throws: APIError.self) { try ModelTable([folder, folder + "/one"], limits: Limits()) }
        // A broken file of a folder is left out; one that was given is an error.
        try Data("broken".utf8).write(to: URL(fileURLWithPath: folder + "/broken.safetensors"))
        let table = try ModelTable([folder], limits: Limits())
        #expect(table.offers.map(\.name) == ["one", "two"] && table.complaints.count == 1)
        #expect(throws: APIError.self) { try ModelTable([folder + "/broken"], limits: Limits()) }
    }

    @Test("SIGHUP is no end; SIGTERM ends a server that is at work, with all that was promised")
    func signals() async throws {
        let process = Process()
        process.executableURL = Bundle.main.executableURL!.deletingLastPathComponent().appendingPathComponent(
            "escriba-serve")
        if !FileManager.default.fileExists(atPath: process.executableURL!.path) {
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
                .appendingPathComponent("escriba-serve")
        }
        process.arguments = [modelPath, "--port", "0"]
        let output = Pipe()
        process.standardError = output
        try process.run()
        /// On a thread of its own, as the client's.
        func read(_ pipe: Pipe) async -> Data {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: pipe.fileHandleForReading.availableData) }
            }
        }
        var said = ""
        while !said.contains("/v1") {
            let data = await read(output)
            try #require(!data.isEmpty, "the server has ended: \(said)")
            said += String(decoding: data, as: UTF8.self)
        }
        let port = try #require(said.firstMatch(of: /:(\d+)\/v1/).flatMap { Int($0.1) })
        kill(process.processIdentifier, SIGHUP)
        while !said.contains("read the models again") {
            said += String(decoding: await read(output), as: UTF8.self)
        }
        let client = try RawClient(port: port)
        let body = #"{"prompt": "the ", "max_tokens": 3000, "seed": 1}"#
        client.ask(body)
        try await until("the text is being generated") { try await metric("streams", port) == 1 }
        kill(process.processIdentifier, SIGTERM)
        let answer = await client.receiveAll()
        #expect(String(decoding: answer, as: UTF8.self).contains(#""completion_tokens":3000"#), "a text was cut off")
        try await until("the server has ended") { !process.isRunning }
        #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
    }
}
