import Foundation

/// Reads a text in pieces that can be handled one at a time.
///
/// A piece ends after a line feed, between two ASCII characters that are not CR LF, or at the end of the text. No
/// grapheme cluster reaches across such a place (UAX #29, rules 3 to 5 and 9: what joins is not ASCII), and no normal form
/// does: ASCII characters begin a new segment (UAX #15).
struct TextReader {
    /// How much is asked of the system at once.
    var blockSize = 1 << 20

    /// Calls `body` with each piece and its offset in the text, in bytes.
    func forEachPiece(
        of source: TextSource, _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) {
        let descriptor: Int32
        switch source {
        case .bytes(let bytes, _):
            if !bytes.isEmpty { try bytes.withUnsafeBufferPointer { all throws(TextError) in try body(all, 0) } }
            return
        case .standardInput: descriptor = 0
        case .file(let path):
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                if errno == ENOENT { throw .missing(path: path) }
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
        }
        defer { if descriptor != 0 { close(descriptor) } }
        try forEachPiece(descriptor, name: source.name, body)
    }

    /// ICU counts in 32 bits.
    private static let longestPiece = 1 << 30

    /// The last place at which `bytes` can be cut, nil if there is none from `start` on.
    private static func lastCut(in bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
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

    private func forEachPiece(
        _ descriptor: Int32, name: String, _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) {
        /// Room for what is left of the block before and for the next; `kept` bytes of it are in use.
        var pending = [UInt8](repeating: 0, count: blockSize)
        var kept = 0
        var offset = 0
        while true {
            if pending.count < kept + blockSize { pending += [UInt8](repeating: 0, count: kept + blockSize) }
            var got = 0
            var failure: Int32 = 0
            pending.withUnsafeMutableBytes { buffer in
                repeat {
                    got = read(descriptor, buffer.baseAddress! + kept, blockSize)
                    failure = errno
                } while got < 0 && failure == EINTR
            }
            guard got >= 0 else { throw .unreadable(path: name, reason: String(cString: strerror(failure))) }
            let filled = kept + got
            let cut = got == 0 ? filled : Self.lastCut(in: pending[..<filled], from: kept)
            if cut == nil && filled >= Self.longestPiece { throw .unbroken(path: name, offset: offset) }
            let end = cut ?? 0
            if end > 0 {
                try pending.withUnsafeBufferPointer { all throws(TextError) in
                    try body(UnsafeBufferPointer(rebasing: all[..<end]), offset)
                }
                offset += end
                pending.withUnsafeMutableBytes { all in
                    _ = memmove(all.baseAddress!, all.baseAddress! + end, filled - end)
                }
            }
            kept = filled - end
            if got == 0 { return }
        }
    }
}
