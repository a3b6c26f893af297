/// Where one record of a text ends and the next begins: names, poems, games, messages.
///
/// What separates records is no part of them: the boundary symbol stands for it.
public enum RecordSeparator: Sendable, Equatable {
    /// At each line feed.
    case line
    /// At one or more lines that are empty or blank.
    case blankLine
    /// At the end of each file.
    case file
    /// At each occurrence of a text, which is not empty.
    case text(String)

    /// `line`, `blank-line`, `file`, or the text.
    public var name: String {
        switch self {
        case .line: "line"
        case .blankLine: "blank-line"
        case .file: "file"
        case .text(let text): text
        }
    }

    /// - Requires: a name that is not empty.
    public init(name: String) {
        switch name {
        case "line": self = .line
        case "blank-line": self = .blankLine
        case "file": self = .file
        default:
            precondition(!name.isEmpty, "an empty text separates nothing")
            self = .text(name)
        }
    }
}

/// Cuts a text that comes in pieces into records and what separates them.
struct RecordSplitter {
    private let separator: RecordSeparator
    private let text: [UInt8]
    /// What has not been handed out yet, and where it begins in the text.
    private var pending: [UInt8] = []
    private var offset = 0
    /// No separator begins before this place in `pending`.
    private var searched = 0

    private let path: String

    /// - Parameter path: of the text, for messages.
    init(_ separator: RecordSeparator, path: String) {
        self.separator = separator
        self.path = path
        if case .text(let text) = separator { self.text = Array(text.utf8) } else { text = [0x0A] }
    }

    /// Takes another piece, and hands out every record that is whole, with the offset of its first byte, and its separator.
    mutating func append(
        _ piece: UnsafeBufferPointer<UInt8>, isLast: Bool,
        _ body: (_ record: ArraySlice<UInt8>, _ offset: Int, _ separator: ArraySlice<UInt8>) throws(TextError) -> Void
    ) throws(TextError) {
        pending.append(contentsOf: piece)
        var start = 0
        while let found = nextSeparator(from: max(start, searched), isLast: isLast) {
            try body(pending[start..<found.lowerBound], offset + start, pending[found])
            start = found.upperBound
            searched = start
        }
        if isLast && start < pending.count {
            try body(pending[start...], offset + start, [])
            start = pending.count
        }
        pending.removeFirst(start)
        offset += start
        if pending.count >= 1 << 30 { throw .unbroken(path: path, offset: offset) }
        searched = max(0, pending.count - holdBack)
    }

    /// How much at the end may belong to a separator that goes on in the next piece.
    private var holdBack: Int {
        guard separator == .blankLine else { return text.count - 1 }
        let blank = pending.reversed().prefix { isBlank($0) || $0 == 0x0A }.count
        return blank
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private func nextSeparator(from start: Int, isLast: Bool) -> Range<Int>? {
        guard separator != .file else { return nil }
        var index = start
        while let found = pending[index...].firstRange(of: text) {
            switch separator {
            case .line:
                let hasCR = found.lowerBound > 0 && pending[found.lowerBound - 1] == 0x0D && found.lowerBound > start
                return found.lowerBound - (hasCR ? 1 : 0)..<found.upperBound
            case .blankLine:
                // Lines that are blank, as many as follow.
                var end = found.upperBound
                var next = end
                while true {
                    while next < pending.count && isBlank(pending[next]) { next += 1 }
                    guard next < pending.count else { break }
                    guard pending[next] == 0x0A else { break }
                    next += 1
                    end = next
                }
                // What follows may make it longer.
                if next == pending.count && !isLast { return nil }
                if end > found.upperBound || (isLast && next == pending.count) {
                    let hasCR = found.lowerBound > start && pending[found.lowerBound - 1] == 0x0D
                    return found.lowerBound - (hasCR ? 1 : 0)..<(next == pending.count ? next : end)
                }
                index = found.upperBound
            default: return found
            }
        }
        return nil
    }
}
