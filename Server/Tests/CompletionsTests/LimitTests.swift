import Testing

@testable import Completions

@Suite("Limits and metrics")
struct LimitTests {
    @Test("Each limit can be set by its name, within its range, and is another one than the others")
    func settings() throws {
        for setting in Limits.settings {
            var limits = Limits()
            #expect(setting.range.contains(setting.value(in: limits)), "\(setting.name)")
            try limits.set("\(setting.name)=\(setting.range.upperBound)")
            #expect(setting.value(in: limits) == setting.range.upperBound)
            for other in Limits.settings where other.name != setting.name {
                #expect(other.value(in: limits) == other.value(in: Limits()), "\(setting.name) sets \(other.name)")
            }
            for wrong in ["\(setting.range.lowerBound - 1)", "x", "", "1.5"] {
                #expect(throws: APIError.self) { try limits.set("\(setting.name)=\(wrong)") }
            }
        }
        var limits = Limits()
        for wrong in ["", "=", "nothing=1", "streams"] { #expect(throws: APIError.self) { try limits.set(wrong) } }
    }

    @Test("Metrics are Prometheus's text: each value has a name, labels and a number; times add up")
    func metrics() throws {
        let metrics = Metrics()
        metrics.update("a \"model\"\n") { ($0.running, $0.symbols) = (2, 30) }
        for seconds in [0.001, 0.03, 100] { metrics.firstSymbol(after: .seconds(seconds)) }
        metrics.answered("/v1/completions", status: 200, after: .seconds(2))
        let lines = metrics.text.split(separator: "\n")
        for line in lines where !line.hasPrefix("#") {
            let form = /escriba_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+/
            #expect(line.wholeMatch(of: form) != nil, "\(line)")
        }
        #expect(lines.contains(#"escriba_streams{model="a \"model\"\n"} 2"#))
        #expect(lines.contains(#"escriba_answers_total{route="/v1/completions",status="200"} 1"#))
        #expect(lines.contains(#"escriba_first_symbol_seconds_bucket{le="0.05"} 2"#))
        #expect(lines.contains(#"escriba_first_symbol_seconds_bucket{le="+Inf"} 3"#))
        #expect(lines.contains("escriba_first_symbol_seconds_count 3"))
    }
}
