/// The size of a text, counted before normalization.
public struct TextCounts: Sendable, Equatable, Codable {
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

    /// Updates the word count with a scalar.
    ///
    /// - Parameter inWord: whether the previous scalar was in a word; updated for the next one.
    @inline(__always)
    mutating func addScalar(isSpace: Bool, inWord: inout Bool) {
        words += !isSpace && !inWord ? 1 : 0
        inWord = !isSpace
        scalars += 1
    }
}
