import CICU

/// How much text there is, counted before normalization.
public struct TextCounts: Sendable, Equatable {
    public var bytes = 0
    /// Unicode scalar values.
    public var scalars = 0
    /// Extended grapheme clusters.
    public var characters = 0
    /// Maximal runs without white space (the White_Space property).
    public var words = 0

    public init() {}

    public static func += (a: inout TextCounts, b: TextCounts) {
        a.bytes += b.bytes
        a.scalars += b.scalars
        a.characters += b.characters
        a.words += b.words
    }

    /// Adds everything but the characters of a piece of UTF-8.
    ///
    /// - Parameter inWord: whether a word goes on from the piece before; afterwards, whether one goes on after this piece.
    mutating func addAllButCharacters(of piece: UnsafeBufferPointer<UInt8>, inWord: inout Bool) {
        bytes += piece.count
        func see(_ space: Bool) {
            if !space && !inWord { words += 1 }
            inWord = !space
            scalars += 1
        }
        if piece.allSatisfy({ $0 < 0x80 }) {
            for byte in piece { see(byte == 0x20 || (0x09...0x0D).contains(byte)) }
        } else {
            for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
                see(cicu_is_white_space(scalar.value) != 0)
            }
        }
    }
}
