/// Requests that are wrong in some way, the same for a seed.
struct MalformedRequests {
    private var random: UInt64

    init(seed: UInt64) { random = seed }

    /// SplitMix64 (Steele et al. 2014).
    private mutating func draw(_ count: Int) -> Int {
        random &+= 0x9E37_79B9_7F4A_7C15
        var z = random
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ z >> 31) % UInt64(count))
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[draw(values.count)] }

    /// What is sent, in pieces; whether the client then says that it sends no more, and whether it waits for an answer.
    mutating func next() -> (pieces: [[UInt8]], finishes: Bool, reads: Bool) {
        var request = head(length: nil) + body()
        switch draw(10) {
        case 0: request = noise(draw(400))
        case 1: request = Array(request.prefix(draw(request.count)))
        case 2: for _ in 0..<1 + draw(8) { request[draw(request.count)] = UInt8(draw(256)) }
        case 3:
            request =
                head(length: pick(["-1", "99999999999999999999", "1e3", "0x10", "", "5, 6", "18446744073709551616"]))
                + body()
        case 4: request = Array(repeating: request, count: 2 + draw(20)).flatMap(\.self)
        case 5:
            request = Array(
                "GET /\(String(repeating: "a", count: draw(70_000))) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        case 6:
            request = Array("GET /health HTTP/1.1\r\n\(String(repeating: "X-A: b\r\n", count: draw(3_000)))\r\n".utf8)
        case 7:
            let chunks = ["Z\r\n", "5\r\nabc", "FFFFFFFFFFFFFFFFF\r\n", "3\r\nabc\r\n0\r\n\r\n", "-1\r\n"]
            request = Array(
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\(pick(chunks))"
                    .utf8)
        default: break
        }
        var pieces: [[UInt8]] = []
        while !request.isEmpty {
            let size = draw(4) == 0 ? 1 + draw(request.count) : request.count
            pieces.append(Array(request.prefix(size)))
            request.removeFirst(size)
        }
        return (pieces, draw(3) == 0, draw(2) == 0)
    }

    private mutating func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(draw(256)) } }

    /// Most heads are right, so that the body is read.
    private mutating func head(length: String?) -> [UInt8] {
        var (method, host, type) = ("POST", "localhost", "application/json")
        var path = pick(["/v1/completions", "/v1/completions", "/v1/perplexity"])
        if draw(4) == 0 {
            method = pick(["POST", "GET", "PUT", "OPTIONS", "BREW", ""])
            path = pick(["/v1/models/%00", "/v1/models/../../etc/passwd", "/%ff", "//", "*", "/v1/completions"])
            host = pick(["localhost", "evil.example", "[", ""])
            type = pick(["application/json", "text/plain", "\u{1}"])
        }
        return Array(
            "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: \(type)\r\nContent-Length: \(length ?? "\(200)")\r\n\r\n"
                .utf8)
    }

    /// 200 bytes of JSON that is wrong.
    private mutating func body() -> [UInt8] {
        let values = [
            "1e300", "-1e18", "-1", "9007199254740993", "1e-400", "null", "true", "[]", "{}", #""\u0000""#, "1.5",
            #"["a", 1]"#, #"{"a": {}}"#, #""é""#, "1e9", "{\"-1\": 1e300}",
        ]
        let broken = [
            "1e999", #""\ud800""#, #""\udc00\ud800""#, "[[[[[[[[[[", "\"", "NaN", "0x1", "00", "-", "1e", "\u{FEFF}",
        ]
        let fields = [
            "prompt", "max_tokens", "temperature", "top_p", "n", "stream", "stop", "seed", "echo", "logprobs",
            "logit_bias", "ban",
            "top_k", "min_p", "typical", "mirostat", "repetition_penalty", "best_of", "suffix", "text", "skip", "model",
            "unknown",
            "stream_options", "presence_penalty", "",
        ]
        var json = "{"
        for number in 0..<1 + draw(4) {
            json += (number > 0 ? "," : "") + "\"\(pick(fields))\": \(draw(8) == 0 ? pick(broken) : pick(values))"
        }
        json += draw(10) == 0 ? "" : "}"
        var bytes = Array(json.utf8)
        if draw(8) == 0 { bytes.insert(pick([0xFF, 0xC0, 0xED, 0xF8]), at: draw(bytes.count)) }
        return Array((bytes + Array(repeating: 0x20, count: 200)).prefix(200))
    }
}
