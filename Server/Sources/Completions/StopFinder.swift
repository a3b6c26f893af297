/// Ends a text before the first of some stops, which may come in pieces.
struct StopFinder {
    private let stops: [[UInt8]]
    /// Bytes that may be the beginning of a stop.
    private var held: [UInt8] = []

    init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Adds bytes; returns those that certainly belong to the text, and whether a stop has come.
    mutating func append(_ bytes: [UInt8]) -> (text: [UInt8], isEnd: Bool) {
        held += bytes
        for start in held.indices {
            let rest = held[start...]
            if stops.contains(where: { rest.starts(with: $0) }) {
                defer { held = [] }
                return (Array(held[..<start]), true)
            }
            if stops.contains(where: { $0.starts(with: rest) }) {
                defer { held.removeFirst(start) }
                return (Array(held[..<start]), false)
            }
        }
        defer { held = [] }
        return (held, false)
    }

    /// What was held back, when the text has ended otherwise.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
