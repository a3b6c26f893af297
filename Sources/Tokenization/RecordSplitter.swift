import Glibc

/// Splits a text that arrives in pieces into records and separators.
struct RecordSplitter {
    private let separator: RecordSeparator
    private let text: [UInt8]
    /// The text not passed on yet, and where it begins.
    private var pending: [UInt8] = []
    private var offset = 0
    /// `pending` has been searched up to here.
    private var searched = 0
    private var blankLines = BlankLines()
    private let path: String

    /// - Parameter path: the path of the text, for messages.
    /// - Requires: not `file`, which is handled elsewhere.
    init(_ separator: RecordSeparator, path: String) {
        precondition(separator != .file, "files end by themselves")
        self.separator = separator
        self.path = path
        if case .text(let text) = separator { self.text = Array(text.utf8) } else { text = [0x0A] }
    }

    /// Adds a piece, and passes on every complete record with the offset of its first byte and its separator.
    mutating func append(
        _ piece: UnsafeBufferPointer<UInt8>, at place: Int, isLast: Bool,
        _ body: (_ record: ArraySlice<UInt8>, _ offset: Int, _ separator: ArraySlice<UInt8>) throws(TextError) -> Void
    ) throws(TextError) {
        // A byte-order mark may have been removed before the piece.
        if pending.isEmpty { offset = place }
        pending.append(contentsOf: piece)
        var start = 0
        while let found = nextSeparator(from: start, isLast: isLast) {
            try body(pending[start..<found.lowerBound], offset + start, pending[found])
            start = found.upperBound
        }
        if isLast && start < pending.count {
            try body(pending[start...], offset + start, [])
            start = pending.count
        }
        pending.removeFirst(start)
        offset += start
        searched -= start
        blankLines.move(by: -start)
        if pending.count >= 1 << 30 { throw .longRecord(path: path, offset: offset) }
    }

    /// The first separator after `start`, where a record begins; advances `searched`.
    private mutating func nextSeparator(from start: Int, isLast: Bool) -> Range<Int>? {
        if separator == .blankLine { return nextBlankLines(from: start, isLast: isLast) }
        searched = max(searched, start)
        let found = pending.withUnsafeBytes { bytes -> Int? in
            var place = searched
            while bytes.count - place >= text.count,
                let next = memchr(bytes.baseAddress! + place, Int32(text[0]), bytes.count - place - text.count + 1)
            {
                place = UnsafeRawPointer(next) - bytes.baseAddress!
                if memcmp(bytes.baseAddress! + place, text, text.count) == 0 { return place }
                place += 1
            }
            return nil
        }
        guard let found else {
            // The end of `pending` may be the beginning of a separator.
            searched = max(searched, pending.count - (text.count - 1))
            return nil
        }
        searched = found + text.count
        return separator == .line ? lineEnd(found, from: start)..<found + 1 : found..<searched
    }

    private mutating func nextBlankLines(from start: Int, isLast: Bool) -> Range<Int>? {
        while searched < pending.count {
            let found = blankLines.add(pending[searched], at: searched)
            searched += 1
            if let found { return lineEnd(found.lowerBound, from: start)..<found.upperBound }
        }
        guard isLast, let end = blankLines.finish(), end < pending.count else { return nil }
        return lineEnd(end, from: start)..<pending.count
    }

    /// The position of a line feed, or of the carriage return before it.
    private func lineEnd(_ place: Int, from start: Int) -> Int {
        place > start && pending[place] == 0x0A && pending[place - 1] == 0x0D ? place - 1 : place
    }
}

/// Finds runs of blank lines in a stream of bytes.
private struct BlankLines {
    /// Whether the line so far is blank.
    private var isBlank = true
    /// Where the last non-blank line ended, and where the last blank line after it ended.
    private var contentEnd: Int? = 0
    private var blankEnd: Int?

    /// At the first byte after blank lines, returns their range, including the end of the preceding line.
    mutating func add(_ byte: UInt8, at place: Int) -> Range<Int>? {
        switch byte {
        case 0x0A:
            if isBlank { blankEnd = place + 1 } else { contentEnd = place }
            isBlank = true
        case 0x20, 0x09, 0x0D: break
        default:
            guard isBlank else { break }
            isBlank = false
            defer { (contentEnd, blankEnd) = (nil, nil) }
            if let contentEnd, let blankEnd { return contentEnd..<blankEnd }
        }
        return nil
    }

    /// Where the last non-blank line ended, if only blanks follow; nil on a second call.
    mutating func finish() -> Int? {
        defer { contentEnd = nil }
        return isBlank ? contentEnd : nil
    }

    mutating func move(by distance: Int) {
        contentEnd = contentEnd.map { $0 + distance }
        blankEnd = blankEnd.map { $0 + distance }
    }
}
