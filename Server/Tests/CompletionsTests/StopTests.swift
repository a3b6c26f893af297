import Testing

@testable import Completions

@Suite("Stops")
struct StopTests {
    /// Naive: everything before the first stop.
    private func expected(_ text: String, _ stops: [String]) -> String {
        let bytes = Array(text.utf8)
        for start in bytes.indices where stops.contains(where: { bytes[start...].starts(with: $0.utf8) }) {
            return String(decoding: bytes[..<start], as: UTF8.self)
        }
        return text
    }

    @Test(
        "Text ends before the first stop, however it is cut",
        arguments: [["b"], ["ab", "ba"], ["aab"], ["aaaa", "bb"]])
    func cuts(stops: [String]) {
        for number in 0..<256 {
            let text = String((0..<8).map { number >> $0 & 1 == 0 ? "a" : "b" })
            for size in 1...3 {
                var finder = StopFinder(stops)
                var found: [UInt8] = []
                var isEnd = false
                let bytes = Array(text.utf8)
                for start in stride(from: 0, to: bytes.count, by: size) where !isEnd {
                    let part = finder.append(Array(bytes[start..<min(start + size, bytes.count)]))
                    found += part.text
                    isEnd = part.stop != nil
                }
                if !isEnd { found += finder.finish() }
                #expect(String(decoding: found, as: UTF8.self) == expected(text, stops), "\(text) by \(size)")
            }
        }
    }
}
