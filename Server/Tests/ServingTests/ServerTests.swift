import CharacterModel
import Foundation
import Serving
import Testing

@Suite("The server", .serialized)
struct ServerTests {
    @Test("A completion is the text that the library generates with the seed")
    func completes() async throws {
        try await serving { port in
            let answer = try await RawClient.ask(
                port, body: #"{"prompt": "the ", "max_tokens": 40, "seed": 7, "n": 2}"#)
            #expect(answer.status == 200, "\(answer)")
            let object = try object(answer.body)
            let choices = try #require(object["choices"] as? [[String: Any]])
            let model = try LanguageModel(contentsOf: modelPath)
            for (index, choice) in choices.enumerated() {
                let alone = try model.generator(
                    prompt: "the ", strategy: .sampled(Temperature(1), keeping: .everything), seed: 7,
                    stream: UInt64(index))
                #expect(choice["text"] as? String == alone.prefix(40).map(\.symbol.text).joined())
                #expect(choice["finish_reason"] as? String == "length")
            }
            let usage = try #require(object["usage"] as? [String: Any])
            #expect(usage["prompt_tokens"] as? Int == 4 && usage["completion_tokens"] as? Int == 80)
            #expect(usage["unit"] as? String == "symbol")
        }
    }

    @Test("A stream has the same text in parts, and ends in [DONE]")
    func streams() async throws {
        try await serving { port in
            let body =
                #"{"prompt": "the ", "max_tokens": 300, "seed": 7, "stream": true, "stream_options": {"include_usage": true}}"#
            let answer = try await RawClient.ask(port, body: body)
            #expect(answer.status == 200 && answer.headers.contains("text/event-stream"))
            let events = answer.body.replacing("\r\n", with: "\n").split(separator: "\n").filter {
                $0.hasPrefix("data: ")
            }.map { String($0.dropFirst(6)) }
            #expect(events.last == "[DONE]")
            let parts = try events.dropLast().map(object)
            let text = parts.compactMap { ($0["choices"] as? [[String: Any]])?.first?["text"] as? String }.joined()
            let model = try LanguageModel(contentsOf: modelPath)
            let alone = try model.generator(
                prompt: "the ", strategy: .sampled(Temperature(1), keeping: .everything), seed: 7)
            #expect(text == alone.prefix(300).map(\.symbol.text).joined())
            #expect((parts.last?["usage"] as? [String: Any])?["completion_tokens"] as? Int == 300)
        }
    }

    @Test("Stops, echo and log-probabilities are as the interface has them")
    func details() async throws {
        try await serving { port in
            let whole = try await object(
                RawClient.ask(port, body: #"{"prompt": "the ", "max_tokens": 30, "seed": 7}"#).body)
            let text = try #require((whole["choices"] as? [[String: Any]])?[0]["text"] as? String)
            let stop = String(text.dropFirst(10).prefix(2))
            let stopped = try await object(
                RawClient.ask(
                    port,
                    body:
                        #"{"prompt": "the ", "max_tokens": 30, "seed": 7, "stop": "\#(stop)", "echo": true, "logprobs": 2}"#
                ).body)
            let choice = try #require((stopped["choices"] as? [[String: Any]])?[0])
            let expected = text.components(separatedBy: stop)[0]
            #expect(choice["text"] as? String == "the " + expected && choice["finish_reason"] as? String == "stop")
            let logprobs = try #require(choice["logprobs"] as? [String: Any])
            let tokens = try #require(logprobs["tokens"] as? [String])
            #expect(tokens.joined() == "the " + expected)
            #expect((logprobs["text_offset"] as? [Int]) == Array(tokens.indices))
            let values = try #require(logprobs["token_logprobs"] as? [Any])
            #expect(values[0] is NSNull && values.dropFirst().allSatisfy { ($0 as? Double ?? 1) <= 0 })
            #expect((logprobs["top_logprobs"] as? [[String: Double]])?.last?.count == 2)
        }
    }

    @Test("What is wrong has a status and an error in the form of the interface")
    func errors() async throws {
        try await serving { port in
            for (method, path, body, headers, status) in [
                ("POST", "/v1/completions", "{", [], 400), ("POST", "/v1/completions", #"{"model": "other"}"#, [], 404),
                ("POST", "/v1/chat/completions", "{}", [], 404), ("GET", "/nothing", "", [], 404),
                ("POST", "/v1/completions", "{}", ["Content-Type: text/plain"], 415),
                ("POST", "/v1/completions", "{}", ["Host: evil.example"], 421),
                ("POST", "/v1/completions", "{}", ["Origin: null"], 403),
                ("POST", "/v1/completions", "{}", ["Origin: https://evil.example"], 403),
                ("POST", "/v1/completions", "{}", ["Origin: http://127.0.0.1:1"], 403),
                ("POST", "/v1/completions", #"{"n": 3, "max_tokens": 99999}"#, [], 400),
                ("POST", "/v1/completions", #"{"max_tokens": 99999, "logprobs": 1}"#, [], 400),
                ("GET", "/v1/completions", "", [], 405), ("GET", "/v1/models/../../etc/passwd", "", [], 404),
                ("POST", "/v1/completions", #"{"n": 32, "prompt": ["","","","","","","","","","","","",""]}"#, [], 400),
                (
                    "POST", "/v1/completions", #"{"prompt": ""# + String(repeating: "a", count: 1_100_000) + #""}"#, [],
                    413
                ),
            ] as [(String, String, String, [String], Int)] {
                let answer = try await RawClient.ask(port, method, path, body: body, headers: headers)
                #expect(answer.status == status, "\(method) \(path) \(body.prefix(40)) \(headers): \(answer.headers)")
                #expect(try object(answer.body)["error"] is [String: Any], "\(answer.body.prefix(100))")
                #expect(answer.headers.contains("frame-ancestors 'none'"))
            }
            #expect(try await RawClient.ask(port, "GET", "/health").status == 200)
            #expect(try await RawClient.ask(port, "GET", "/v1/models").body.contains(#""id":"small""#))
        }
    }

    @Test("With a key, the interface needs it")
    func key() async throws {
        var options = ServerOptions()
        options.apiKey = Array("0123456789abcdef".utf8)
        try await serving([modelPath], options) { port in
            for (path, key, status) in [
                ("/v1/models", "", 401), ("/v1/models", "0123456789abcdee", 401), ("/metrics", "0123456789abcde", 401),
                ("//v1/models", "", 401), ("/v1/models/", "", 401), ("//metrics", "", 401), ("/metrics/", "", 401),
                ("/v1/models", "0123456789abcdef", 200), ("/health", "", 200), ("/", "", 200),
            ] {
                let answer = try await RawClient.ask(port, "GET", path, headers: ["Authorization: Bearer \(key)"])
                #expect(answer.status == status, "\(path) \(key)")
            }
        }
    }

    @Test("A text is scored as the library scores it")
    func scores() async throws {
        try await serving { port in
            let answer = try await object(
                RawClient.ask(port, "POST", "/v1/perplexity", body: #"{"text": "the river"}"#).body)
            let model = try LanguageModel(contentsOf: modelPath)
            let expected = try model.evaluate([.bytes(Array("the river".utf8), name: "t")])
            let perplexity = try #require(answer["perplexity"] as? Double)
            #expect(abs(perplexity / expected.total.likelihood.perplexity - 1) < 1e-4)
            #expect((answer["tokens"] as? [Any])?.count == 9 && answer["weights"] as? String == "exact")
            #expect((answer["next"] as? [[String: Any]])?.count == 5)
            // What is known is not told again, nor are the figures others.
            let rest = try await object(
                RawClient.ask(port, "POST", "/v1/perplexity", body: #"{"text": "the river", "skip": 4}"#).body)
            let (all, some) = (answer["tokens"] as? [[String: Any]] ?? [], rest["tokens"] as? [[String: Any]] ?? [])
            #expect(some.count == 5 && rest["first"] as? Int == 4)
            for (a, b) in zip(all.dropFirst(4), some) { #expect(a["nats"] as? Double == b["nats"] as? Double) }
        }
    }
}
