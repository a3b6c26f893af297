/// What one symbol is.
public enum TextUnit: String, Sendable, Codable, CaseIterable {
    /// An extended grapheme cluster (UAX #29): a character as a reader sees it.
    case grapheme
    /// A Unicode scalar value (code point).
    case scalar
    /// A byte of the file as it is.
    case byte
}

/// The Unicode normal form (UAX #15) that text is brought to before it is cut into symbols.
public enum Normalization: String, Sendable, Codable, CaseIterable {
    case nfc, nfd, nfkc, nfkd
    /// NFKC with case folding and without default-ignorable characters.
    case nfkcCasefold = "nfkc-casefold"
    case none

    /// Whether different texts that readers tell apart may come out the same: figures under a lossy form are not the
    /// original text's code length.
    public var isLossy: Bool { self == .nfkc || self == .nfkd || self == .nfkcCasefold }
}
