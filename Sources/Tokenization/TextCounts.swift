/// How much text there is, counted before normalization.
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

    /// Adds a scalar to the words.
    ///
    /// - Parameter inWord: whether a word goes on from the scalar before, then into the one after.
    @inline(__always)
    mutating func addScalar(isSpace: Bool, inWord: inout Bool) {
        words += !isSpace && !inWord ? 1 : 0
        inWord = !isSpace
        scalars += 1
    }
}
