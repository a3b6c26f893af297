import CharacterModel
import Foundation
import Serving
import Testing

@Suite("Many texts at once", .serialized)
struct ManyTests {
    private static func expected(_ model: LanguageModel, _ prompt: String, seed: Int, stream: Int = 0, _ count: Int)
        throws -> String
    {
        let alone = try model.generator(
            prompt: prompt, strategy: .sampled(Temperature(1), keeping: .everything), seed: UInt64(seed),
            stream: UInt64(stream))
        return alone.prefix(count).map(\.symbol.text).joined()
    }

    @Test("A text among others that come and go is the same as alone")
    func together() async throws {
        try await serving { port in
            let model = try LanguageModel(contentsOf: modelPath)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let prompt = String("the scribe wrote bread and rain, ".prefix(number % 20))
                        let length = 5 + number * 37 % 200
                        let body = #"{"prompt": "\#(prompt)", "max_tokens": \#(length), "seed": \#(number)}"#
                        let answer = try await RawClient.ask(port, body: body)
                        #expect(try texts(answer.body) == [Self.expected(model, prompt, seed: number, length)])
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await load(port) == [0, 0])
        }
    }

    @Test("Several prompts with several texts each come in order")
    func prompts() async throws {
        try await serving { port in
            let model = try LanguageModel(contentsOf: modelPath)
            let answer = try await RawClient.ask(
                port, body: #"{"prompt": ["the ", "and "], "n": 2, "max_tokens": 9, "seed": 4}"#)
            let expected = try ["the ", "and "].flatMap { prompt in
                try (0..<2).map { try Self.expected(model, prompt, seed: 4, stream: $0, 9) }
            }
            #expect(try texts(answer.body) == expected)
        }
    }

    @Test("Of a prompt only what is new is read, and the text is the same")
    func prefixes() async throws {
        try await serving { port in
            let prompt = String(repeating: "the scribe wrote bread and rain, ", count: 30)
            func read(_ prompt: String) async throws -> (symbols: Double, text: [String]) {
                let before = try await metric("prompt_symbols_total", port)
                let answer = try await RawClient.ask(
                    port, body: #"{"prompt": "\#(prompt)", "max_tokens": 8, "seed": 1}"#)
                return (try await metric("prompt_symbols_total", port) - before, try texts(answer.body))
            }
            #expect(try await read(prompt).symbols == Double(prompt.count))
            let longer = try await read(prompt + "and")
            #expect(longer.symbols == 3)
            let model = try LanguageModel(contentsOf: modelPath)
            #expect(longer.text == [try Self.expected(model, prompt + "and", seed: 1, 8)])
            // A branch: the first 512 symbols are known too.
            #expect(try await read(prompt.prefix(600) + "x").symbols == 89)
        }
    }

    @Test("A client that has gone frees its texts", arguments: ["true", "false"])
    func gone(streams: String) async throws {
        try await serving { port in
            let client = try RawClient(port: port)
            let body = #"{"prompt": "the ", "max_tokens": 100000, "stream": \#(streams)}"#
            client.ask(body)
            try await until("the text is being generated") { try await metric("streams", port) == 1 }
            client.close()
            try await until("the text is gone") { try await metric("streams", port) == 0 }
            #expect(try await metric("symbols_total", port) < 100_000)
        }
    }

    @Test("A client that goes at once, before the answer begins, leaves nothing behind")
    func goneAtOnce() async throws {
        try await serving { port in
            for number in 0..<60 {
                let client = try RawClient(port: port)
                client.ask(#"{"prompt": "the ", "max_tokens": 100000, "stream": true}"#)
                try await Task.sleep(for: .microseconds(number % 6 * 500))
                client.reset()
            }
            try await until("all texts are gone") { try await load(port) == [0, 0] }
        }
    }

    @Test("Texts beyond the streams wait, and beyond the queue are refused")
    func queue() async throws {
        var options = ServerOptions()
        (options.limits.streams, options.limits.queue) = (2, 3)
        try await serving([modelPath], options) { port in
            let model = try LanguageModel(contentsOf: modelPath)
            let clients = try (0..<5).map { _ in try RawClient(port: port) }
            let body = #"{"prompt": "the ", "max_tokens": 100000, "stream": true}"#
            for client in clients {
                client.ask(body)
            }
            try await until("five have come") { try await load(port) == [2, 3] }
            let refused = try await RawClient.ask(port, body: #"{"prompt": "and ", "max_tokens": 5, "seed": 1}"#)
            #expect(refused.status == 429 && refused.headers.contains("Retry-After"))
            for client in clients { client.close() }
            try await until("all have gone") { try await load(port) == [0, 0] }
            let answer = try await RawClient.ask(port, body: #"{"prompt": "and ", "max_tokens": 5, "seed": 1}"#)
            #expect(try texts(answer.body) == [try Self.expected(model, "and ", seed: 1, 5)])
        }
    }

    @Test("Offsets of a model of bytes count code points, of which a byte may be a part")
    func offsets() async throws {
        let path = try SmallModel.train("bytes", on: "é, ö. ", unit: .byte)
        try await serving([path]) { port in
            let answer = try await RawClient.ask(
                port, body: #"{"prompt": "é, ", "echo": true, "max_tokens": 0, "logprobs": 0}"#)
            let choice = try #require((object(answer.body)["choices"] as? [[String: Any]])?.first)
            #expect(choice["text"] as? String == "é, ")
            // The second byte of é begins no other code point.
            #expect((choice["logprobs"] as? [String: Any])?["text_offset"] as? [Int] == [0, 1, 1, 2])
        }
    }

    @Test("Texts of a model of records end with the record, and a prompt is its last record")
    func records() async throws {
        let path = try SmallModel.train("records", on: "ann\nbob\ncarla\n", records: "line")
        try await serving([path]) { port in
            let model = try LanguageModel(contentsOf: path)
            let alone = try model.generator(
                prompt: "ca", strategy: .sampled(Temperature(1), keeping: .everything), seed: 3)
            let answer = try await RawClient.ask(port, body: #"{"prompt": "ann\nca", "max_tokens": 500, "seed": 3}"#)
            #expect(try texts(answer.body) == [alone.prefix(500).map(\.symbol.text).joined()])
            let choice = try #require((object(answer.body)["choices"] as? [[String: Any]])?.first)
            #expect(choice["finish_reason"] as? String == "stop" && choice["stop_reason"] == nil)
            // What comes before the last separator is not read.
            #expect((try object(answer.body)["usage"] as? [String: Any])?["prompt_tokens"] as? Int == 2)
            #expect(try await RawClient.ask(port, "GET", "/v1/models").body.contains(#""separator":"\n""#))
            // A record that may go on has no end yet.
            let open = try await object(
                RawClient.ask(port, "POST", "/v1/perplexity", body: #"{"text": "ann\nbo"}"#).body)
            let tokens = try #require(open["tokens"] as? [[String: Any]])
            #expect(tokens.map { $0["text"] as? String } == ["a", "n", "n", "\n", "b", "o"])
        }
    }
}
