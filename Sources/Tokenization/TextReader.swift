import Glibc

/// Reads a text as UTF-8, in pieces that can be processed separately.
///
/// A piece ends after a line feed, between two ASCII characters that are not CR LF, or at the end of the text. No
/// grapheme cluster crosses such a place (UAX #29, rules 3 to 5 and 9: joining characters are not ASCII), and neither
/// does normalization: ASCII characters begin a new segment (UAX #15).
struct TextReader {
    /// The number of bytes per read.
    var blockSize = 1 << 20
    /// nil for the byte unit, which reads raw bytes.
    var format: TextFormat?

    /// Calls `body` with each piece and its offset in the text, in bytes, and `raw` with the raw bytes.
    ///
    /// - Returns: how the text was read.
    func forEachPiece(
        of source: TextSource, raw: (UnsafeBufferPointer<UInt8>) -> Void = { _ in },
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) -> TextReading {
        var intake = Intake(try ByteSource(source), blockSize: blockSize)
        var reading = TextReading()
        var decoder: CharsetDecoder?
        var changed = ChangedText(format)
        /// Where the unprocessed rest of the text begins.
        var offset = 0
        while !intake.isLast {
            try intake.read()
            changed.startPart()
            try intake.block.withUnsafeBufferPointer { all throws(TextError) in
                let part = UnsafeBufferPointer(rebasing: all[intake.carried..<intake.end])
                raw(part)
                if intake.isFirst, let format {
                    guard format.encoding != .automatic || !CharsetDecoder.isBinary(part) else {
                        throw .binary(path: source.name)
                    }
                    decoder = try Self.decoder(for: part, isWhole: intake.isLast, format, &reading)
                }
                if let decoder {
                    try decoder.decode(part, isLast: intake.isLast, path: source.name, into: &changed.bytes)
                } else if format?.newlines == .lf {
                    changed.bytes.append(contentsOf: part)
                } else {
                    let text = UnsafeBufferPointer(rebasing: all[..<intake.end])
                    let cut = intake.isLast ? intake.end : Self.lastCut(in: text, from: intake.carried) ?? 0
                    // A UTF-8 byte-order mark is not text.
                    let first = offset == 0 && format != nil && text.starts(with: ChangedText.mark) ? 3 : 0
                    if cut > first { try body(UnsafeBufferPointer(rebasing: text[first..<cut]), offset + first) }
                    intake.done = max(first, cut)
                    offset += intake.done
                    return
                }
                intake.done = intake.end
            }
            intake.keepTheRest()
            changed.endPart(isLast: intake.isLast)
            if max(intake.carried, changed.bytes.count) >= Self.longestPiece {
                throw .unbroken(path: source.name, offset: offset)
            }
            try changed.handOut(isLast: intake.isLast, &offset, body)
        }
        reading.invalid = decoder?.invalid ?? 0
        reading.newlines = changed.newlines.replaced
        reading.dropped = changed.newlines.dropped
        return reading
    }

    /// The decoder for a text with this beginning; nil for UTF-8, which is passed through and checked later.
    private static func decoder(
        for beginning: UnsafeBufferPointer<UInt8>, isWhole: Bool, _ format: TextFormat, _ reading: inout TextReading
    ) throws(TextError) -> CharsetDecoder? {
        reading.disguise = Disguise(of: beginning)
        let name: String
        switch format.encoding {
        case .automatic:
            let (found, confidence) = try CharsetDecoder.detect(beginning, isWhole: isWhole)
            (name, reading.confidence) = (found, confidence)
        case .named(let given): name = given
        }
        reading.encoding = name
        let isUTF8 = ["utf-8", "utf8"].contains(name.lowercased())
        return isUTF8 && format.onInvalid == .error ? nil : try CharsetDecoder(name, policy: format.onInvalid)
    }

    /// ICU uses 32-bit lengths.
    private static let longestPiece = 1 << 30

    /// The last position where `bytes` can be cut; nil if there is none from `start` on.
    fileprivate static func lastCut(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = bytes.count
        while index > max(start, 1) - 1 && index > 0 {
            let before = bytes[index - 1]
            if before == 0x0A { return index }
            // Never between CR and LF: the position after the LF was checked first.
            if index < bytes.count, before < 0x80, bytes[index] < 0x80 { return index }
            index -= 1
        }
        return nil
    }
}

/// Reads a text block by block; bytes not used by a piece yet are carried to the front.
private struct Intake {
    private let source: ByteSource
    private let blockSize: Int
    private(set) var block: [UInt8]
    /// The number of bytes at the beginning of `block` not used by a piece yet, and where the newly read bytes after
    /// them end.
    private(set) var carried = 0
    private(set) var end = 0
    /// How many of them have been used.
    var done = 0
    private(set) var (isFirst, isLast) = (true, false)
    private var blocks = 0

    init(_ source: ByteSource, blockSize: Int) {
        self.source = source
        self.blockSize = blockSize
        block = [UInt8](repeating: 0, count: blockSize)
    }

    /// Reads another block. The first one is filled as far as possible, because the charset is detected from it.
    mutating func read() throws(TextError) {
        isFirst = blocks == 0
        blocks += 1
        if block.count < carried + blockSize { block += [UInt8](repeating: 0, count: carried + blockSize) }
        (end, done) = (carried, 0)
        let limit = carried + blockSize
        repeat {
            let got = try block.withUnsafeMutableBufferPointer { [source, end] buffer throws(TextError) in
                try source.read(into: .init(UnsafeMutableBufferPointer(rebasing: buffer[end..<limit])))
            }
            end += got
            isLast = got == 0
        } while isFirst && !isLast && end < blockSize
    }

    mutating func keepTheRest() {
        let (done, count) = (done, end - done)
        block.withUnsafeMutableBytes { _ = memmove($0.baseAddress!, $0.baseAddress! + done, count) }
        carried = count
    }
}

/// Converted text not used by a piece yet.
private struct ChangedText {
    static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private let format: TextFormat?
    var bytes: [UInt8] = []
    private(set) var newlines = NewlineFilter()
    /// Where the latest part begins.
    private var kept = 0
    /// Whether a byte-order mark may still follow.
    private var awaitsMark: Bool

    init(_ format: TextFormat?) {
        self.format = format
        awaitsMark = format != nil
    }

    mutating func startPart() { kept = bytes.count }

    /// Removes a byte-order mark, and converts line ends if the format says so.
    mutating func endPart(isLast: Bool) {
        if awaitsMark {
            if bytes.starts(with: Self.mark) {
                bytes.removeFirst(3)
                kept = 0
            }
            awaitsMark = bytes.count < 3 && Self.mark.starts(with: bytes)
        }
        if format?.newlines == .lf { newlines.apply(to: &bytes, from: kept, isLast: isLast) }
    }

    /// Passes on as much as can be cut off.
    mutating func handOut(
        isLast: Bool, _ offset: inout Int, _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) {
        let cut = isLast ? bytes.count : bytes.withUnsafeBufferPointer { TextReader.lastCut(in: $0, from: kept) } ?? 0
        guard cut > 0 else { return }
        try bytes.withUnsafeBufferPointer { all throws(TextError) in
            try body(UnsafeBufferPointer(rebasing: all[..<cut]), offset)
        }
        offset += cut
        bytes.removeFirst(cut)
    }
}

/// Converts CR LF and CR to LF in a text that arrives in parts.
private struct NewlineFilter {
    private var afterCR = false
    /// Carriage returns so far.
    private(set) var replaced = 0
    /// Line feeds that followed them.
    private(set) var dropped = 0

    /// - Parameter start: where the new part begins.
    mutating func apply(to text: inout [UInt8], from start: Int, isLast: Bool) {
        var end = start
        for index in start..<text.count {
            let byte = text[index]
            if byte == 0x0A && afterCR {
                dropped += 1
            } else {
                text[end] = byte == 0x0D ? 0x0A : byte
                end += 1
            }
            afterCR = byte == 0x0D
            if afterCR { replaced += 1 }
        }
        text.removeLast(text.count - end)
    }
}
