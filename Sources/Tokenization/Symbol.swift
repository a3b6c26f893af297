/// One symbol: a nonempty sequence of bytes, UTF-8 for the grapheme and scalar units.
///
/// Symbols are compared, hashed and ordered by their bytes. Swift's `String` and `Character` treat canonical
/// equivalents as equal ("\u{E9}" == "e\u{301}"), which a vocabulary must distinguish.
public struct Symbol: Hashable, Comparable, Sendable {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        precondition(!bytes.isEmpty, "a symbol has at least one byte")
        self.bytes = bytes
    }

    public init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    /// The symbol as text; ill-formed bytes show as U+FFFD.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Each byte as `\xC3`.
    package var escapedBytes: String { bytes.map { "\\x" + $0.hexadecimal(digits: 2) }.joined() }

    public static func < (a: Symbol, b: Symbol) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}
