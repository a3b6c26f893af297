import Foundation

/// Reads a text as UTF-8, in pieces that can be handled one at a time.
///
/// A piece ends after a line feed, between two ASCII characters that are not CR LF, or at the end of the text. No
/// grapheme cluster reaches across such a place (UAX #29, rules 3 to 5 and 9: what joins is not ASCII), and no normal form
/// does: ASCII characters begin a new segment (UAX #15).
struct TextReader {
    /// How much is asked of the system at once.
    var blockSize = 1 << 20
    /// nil for the byte unit: bytes as they are.
    var format: TextFormat?

    /// Calls `body` with each piece and its offset in the text, in bytes, and `raw` with the bytes as they were read.
    ///
    /// - Returns: how the text was read.
    func forEachPiece(
        of source: TextSource, raw: (UnsafeBufferPointer<UInt8>) -> Void = { _ in },
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) -> TextReading {
        let bytes = try ByteSource(source)
        var reading = TextReading()
        var decoder: CharsetDecoder?
        var newlines = NewlineFilter()
        var block = [UInt8](repeating: 0, count: blockSize)
        /// Bytes at the beginning of `block` that no piece has held yet: text that is taken as it is.
        var carried = 0
        /// Text that was changed on the way and that no piece has held yet.
        var pending: [UInt8] = []
        /// Where what is left begins in the text.
        var offset = 0
        var (isFirst, isLast) = (true, false)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        /// Whether a byte-order mark may still come in `pending`.
        var awaitsMark = true
        while !isLast {
            if block.count < carried + blockSize { block += [UInt8](repeating: 0, count: carried + blockSize) }
            var end = carried
            // The first block is filled as far as it goes: the charset is found in it.
            repeat {
                let got = try block.withUnsafeMutableBufferPointer { buffer throws(TextError) in
                    let room = UnsafeMutableBufferPointer(rebasing: buffer[end..<carried + blockSize])
                    return try bytes.read(into: .init(room))
                }
                end += got
                isLast = got == 0
            } while isFirst && !isLast && end < blockSize
            var kept = pending.count
            var done = 0
            try block.withUnsafeBufferPointer { all throws(TextError) in
                let part = UnsafeBufferPointer(rebasing: all[carried..<end])
                raw(part)
                if isFirst, let format {
                    guard format.encoding != .automatic || !CharsetDecoder.isBinary(part) else {
                        throw .binary(path: source.name)
                    }
                    decoder = try Self.decoder(for: part, isWhole: isLast, format, &reading)
                }
                if let decoder {
                    try decoder.decode(part, isLast: isLast, path: source.name, into: &pending)
                    done = end
                } else if format?.newlines == .lf {
                    pending.append(contentsOf: part)
                    done = end
                } else {
                    let text = UnsafeBufferPointer(rebasing: all[..<end])
                    // A byte-order mark in UTF-8 is no text.
                    if offset == 0 && format != nil && text.starts(with: mark) { done = 3 }
                    let cut = isLast ? end : Self.lastCut(in: text, from: carried) ?? 0
                    if cut > done { try body(UnsafeBufferPointer(rebasing: text[done..<cut]), offset + done) }
                    done = max(done, cut)
                    offset += done
                }
            }
            // The same mark, where text was changed on the way.
            if format != nil && awaitsMark {
                if pending.starts(with: mark) {
                    pending.removeFirst(3)
                    kept = 0
                }
                awaitsMark = pending.count < 3 && mark.starts(with: pending)
            }
            isFirst = false
            block.withUnsafeMutableBytes { _ = memmove($0.baseAddress!, $0.baseAddress! + done, end - done) }
            carried = end - done
            if format?.newlines == .lf { newlines.apply(to: &pending, from: kept, isLast: isLast) }
            let cut: Int? =
                isLast ? pending.count : pending.withUnsafeBufferPointer { Self.lastCut(in: $0, from: kept) }
            if max(carried, pending.count) >= Self.longestPiece {
                throw .unbroken(path: source.name, offset: offset)
            }
            if let cut, cut > 0 {
                try pending.withUnsafeBufferPointer { all throws(TextError) in
                    try body(UnsafeBufferPointer(rebasing: all[..<cut]), offset)
                }
                offset += cut
                pending.removeFirst(cut)
            }
        }
        reading.invalid = decoder?.invalid ?? 0
        reading.newlines = newlines.replaced
        reading.dropped = newlines.dropped
        return reading
    }

    /// What decodes a text that begins so; nil for UTF-8, which is taken as it is and checked later.
    private static func decoder(
        for beginning: UnsafeBufferPointer<UInt8>, isWhole: Bool, _ format: TextFormat, _ reading: inout TextReading
    ) throws(TextError) -> CharsetDecoder? {
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

    /// ICU counts in 32 bits.
    private static let longestPiece = 1 << 30

    /// The last place at which `bytes` can be cut, nil if there is none from `start` on.
    private static func lastCut(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = bytes.count
        while index > max(start, 1) - 1 && index > 0 {
            let before = bytes[index - 1]
            if before == 0x0A { return index }
            // Never between CR and LF: the place after the LF came first.
            if index < bytes.count, before < 0x80, bytes[index] < 0x80 { return index }
            index -= 1
        }
        return nil
    }
}

/// Turns CR LF and CR into LF, where a text comes in parts.
private struct NewlineFilter {
    private var afterCR = false
    /// Carriage returns so far.
    private(set) var replaced = 0
    /// Line feeds behind them.
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
