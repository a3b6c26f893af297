import Testing

@testable import Completions

@Suite("Requests")
struct RequestTests {
    private func request(_ json: String) throws(APIError) -> CompletionRequest {
        try CompletionRequest(JSONValue(parsing: Array(json.utf8)), limits: Limits())
    }

    @Test("Fields have the defaults of the interface")
    func defaults() throws {
        let plain = try request(#"{"prompt": "ab", "user": "someone", "suffix": null}"#)
        #expect(
            plain.prompts == ["ab"] && plain.maxTokens == 16 && plain.choices == 1 && !plain.streams && !plain.echoes)
        #expect(plain.logprobs == nil && plain.seed == nil && plain.stops == [] && plain.sampling.temperature == 1)
        let full = try request(
            #"{"prompt": ["a", "b"], "n": 2, "stop": "x", "seed": 9007199254740992, "logit_bias": {"a": -5}, "top_p": 1, "top_k": 3}"#
        )
        #expect(full.prompts == ["a", "b"] && full.choices == 2 && full.stops == ["x"] && full.seed == 1 << 53)
        #expect(full.sampling.biases == ["a": -5] && full.sampling.topP == nil && full.sampling.topK == 3)
    }

    @Test(
        "What is not understood is refused by name",
        arguments: [
            (#"{"prompt": 3}"#, "prompt"), (#"{"prompt": ["a", 1]}"#, "prompt"),
            (#"{"max_tokens": 1.5}"#, "max_tokens"),
            (#"{"max_tokens": 1e300}"#, "max_tokens"), (#"{"n": 0}"#, "n"), (#"{"seed": -1}"#, "seed"),
            (#"{"seed": 9007199254740993e1}"#, "seed"), (#"{"temperature": -1}"#, "temperature"),
            (#"{"stream": "yes"}"#, "stream"), (#"{"stop": [""]}"#, "stop"), (#"{"logprobs": 6}"#, "logprobs"),
            (#"{"presence_penalty": 1}"#, "presence_penalty"), (#"{"suffix": "x"}"#, "suffix"),
            (#"{"best_of": 3}"#, "best_of"), (#"{"tempature": 1}"#, "tempature"),
            (#"{"logit_bias": {"a": "b"}}"#, "logit_bias"),
        ])
    func refused(json: String, parameter: String) {
        let error = #expect(throws: APIError.self) { try request(json) }
        #expect(error?.parameter == parameter && error?.status == .badRequest && error?.type == "invalid_request_error")
    }

    @Test(
        "A body that is no JSON object is refused",
        arguments: [
            "", "{", "[]", "null", "{\"a\": \"\\ud800\"}", "3", "{\"a\": 01}", "{\"a\": 1.}", "{\"a\": 1e}",
            "{\"a\": -}", "{\"a\": 1e+}", "{\"a\": .5}", "{\"a\": +1}",
            "{\"a\": 1e999}", "{\"a\": 1, \"a\": 1}",
            "{\"a\": \"\u{1}\"}", "{\"a\": \"\\x\"}", "{\"a\" 1}", "{} {}", "[1,]", "nul", "{\"a\": \"b}",
        ])
    func malformed(json: String) { #expect(throws: APIError.self) { try request(json) } }

    @Test("A body that is nested deeply, or has very many values, is refused")
    func huge() {
        for (start, count, end) in [("", 500_000, ""), ("{\"prompt\": ", 20, String(repeating: "]", count: 20) + "}")] {
            #expect(throws: APIError.self) { try request(start + String(repeating: "[", count: count) + end) }
        }
        #expect(throws: APIError.self) { try request("[" + String(repeating: "1,", count: 400_000) + "1]") }
    }

    @Test("JSON is read as it is written")
    func json() throws {
        let text =
            #" {"a": [1, -0.5e+2, 0, 10E-1, "x\n\u00e9\ud83d\ude00", "é😀", true, false, null, {}, []], "": {"b": "\"\\"}} "#
        let expected: JSONValue = .object([
            "a": .array([
                .number(1), .number(-50), .number(0), .number(1), .string("x\né😀"), .string("é😀"), .bool(true),
                .bool(false), .null,
                .object([:]),
                .array([]),
            ]), "": .object(["b": .string(#""\"#)]),
        ])
        #expect(try JSONValue(parsing: text.utf8) == expected)
        #expect(throws: APIError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }
}
