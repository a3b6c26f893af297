/// What one symbol is.
public enum TextUnit: String, Sendable, Codable, CaseIterable {
    /// An extended grapheme cluster (UAX #29): a character as a reader sees it.
    case grapheme
    /// A Unicode scalar value (code point).
    case scalar
    /// A raw byte of the file.
    case byte
}

/// The Unicode normal form (UAX #15) applied to text before it is split into symbols.
public enum Normalization: String, Sendable, Codable, CaseIterable {
    case nfc, nfd, nfkc, nfkd
    /// NFKC with case folding and without default-ignorable characters.
    case nfkcCasefold = "nfkc-casefold"
    case none

    /// Whether visibly different texts may become the same. Figures under a lossy form are not the original text's code
    /// length.
    public var isLossy: Bool { self == .nfkc || self == .nfkd || self == .nfkcCasefold }
}
