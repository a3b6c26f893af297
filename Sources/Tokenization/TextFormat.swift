/// How the bytes of a file are read as text.
public struct TextFormat: Sendable, Equatable {
    public var encoding = TextEncoding.automatic
    public var onInvalid = InvalidPolicy.error
    public var newlines = Newlines.keep

    public init() {}
}

/// The charset of a file.
public enum TextEncoding: Sendable, Equatable {
    /// By byte-order mark; else UTF-8 if the beginning is well-formed; else the likeliest guess of ICU's detector.
    case automatic
    /// Any name that ICU's converters know.
    case named(String)

    /// `auto`, or the name.
    public var name: String {
        switch self {
        case .automatic: "auto"
        case .named(let name): name
        }
    }

    public init(name: String) { self = name.lowercased() == "auto" ? .automatic : .named(name) }

    /// The names of all available charsets.
    public static var available: [String] {
        var names: Set<String> = []
        var index: Int32 = 0
        while let name = charset(index) {
            names.insert(name)
            index += 1
        }
        return names.sorted { ($0.lowercased(), $0) < ($1.lowercased(), $1) }
    }
}

/// What to do with a byte sequence that is ill-formed in its charset.
public enum InvalidPolicy: String, Sendable, Codable, CaseIterable {
    /// Throws `TextError.invalidEncoding`.
    case error
    /// Replaces it by U+FFFD.
    case replace
    /// Skips it.
    case skip
}

/// What to do with line ends.
public enum Newlines: String, Sendable, Codable, CaseIterable {
    case keep
    /// CR LF and CR become LF.
    case lf
}

/// A document format that can be mistaken for text.
public enum Disguise: String, Sendable, Codable, CaseIterable {
    case pdf = "PDF"
    case rtf = "RTF"

    /// The beginning of such a file.
    private var beginning: String {
        switch self {
        case .pdf: "%PDF-"
        case .rtf: "{\\rtf"
        }
    }

    /// A tool that converts it to plain text.
    public var converter: String {
        switch self {
        case .pdf: "pdftotext"
        case .rtf: "unrtf --text"
        }
    }

    init?(of text: UnsafeBufferPointer<UInt8>) {
        guard let found = Self.allCases.first(where: { text.starts(with: $0.beginning.utf8) }) else { return nil }
        self = found
    }
}

/// How a file was read.
public struct TextReading: Sendable, Equatable, Codable {
    /// The charset's name; nil for the byte unit, which does not decode bytes.
    public var encoding: String?
    /// The confidence in the charset, from 0 to 100; nil if it was given.
    public var confidence: Int?
    /// The format that the file seems to have if it is not plain text. Its characters are then not what a reader sees.
    public var disguise: Disguise?
    /// Ill-formed sequences that were replaced or skipped.
    public var invalid = 0
    /// Carriage returns that became line feeds, or part of one.
    public var newlines = 0
    /// Line feeds dropped after a carriage return that became a line feed.
    var dropped = 0

    public init() {}
}
