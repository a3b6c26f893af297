/// Ends a text before the first of some stops, which may come in pieces.
struct StopFinder {
    private let stops: [(text: String, bytes: [UInt8])]
    /// Bytes that may be the beginning of a stop.
    private var held: [UInt8] = []

    init(_ stops: [String]) { self.stops = stops.map { ($0, Array($0.utf8)) } }

    /// Adds bytes; returns those that certainly belong to the text, and the stop that has come.
    mutating func append(_ bytes: [UInt8]) -> (text: [UInt8], stop: String?) {
        guard !stops.isEmpty else { return (bytes, nil) }
        held += bytes
        for start in held.indices {
            let rest = held[start...]
            if let stop = stops.first(where: { rest.starts(with: $0.bytes) }) {
                defer { held = [] }
                return (Array(held[..<start]), stop.text)
            }
            if stops.contains(where: { $0.bytes.starts(with: rest) }) {
                defer { held.removeFirst(start) }
                return (Array(held[..<start]), nil)
            }
        }
        defer { held = [] }
        return (held, nil)
    }

    /// What was held back, when the text has ended otherwise.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
