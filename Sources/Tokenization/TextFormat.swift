/// How the bytes of a file are read as text.
public struct TextFormat: Sendable, Equatable {
    public var encoding = TextEncoding.automatic
    public var onInvalid = InvalidPolicy.error
    public var newlines = Newlines.keep

    public init() {}
}

/// The charset of a file.
public enum TextEncoding: Sendable, Equatable {
    /// A byte-order mark says it; else UTF-8 where the beginning is that; else what ICU's detector finds likeliest.
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

    /// The names of the charsets there are.
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

/// What becomes of a sequence of bytes that is ill-formed in its charset.
public enum InvalidPolicy: String, Sendable, Codable, CaseIterable {
    /// `TextError.invalidEncoding`.
    case error
    /// U+FFFD stands for it.
    case replace
    /// It is left out.
    case skip
}

/// What becomes of line ends.
public enum Newlines: String, Sendable, Codable, CaseIterable {
    case keep
    /// CR LF and CR become LF.
    case lf
}

/// A format of documents that passes for text.
public enum Disguise: String, Sendable, Codable, CaseIterable {
    case pdf = "PDF"
    case rtf = "RTF"

    /// What such a file begins with.
    private var beginning: String {
        switch self {
        case .pdf: "%PDF-"
        case .rtf: "{\\rtf"
        }
    }

    /// What makes plain text of it.
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
    /// The charset's name; nil for the byte unit, which takes bytes as they are.
    public var encoding: String?
    /// How sure the charset is, from 0 to 100; nil if it was given.
    public var confidence: Int?
    /// The format that the file seems to have, where it is not plain text: its characters are not those that a reader sees.
    public var disguise: Disguise?
    /// Ill-formed sequences that were replaced or left out.
    public var invalid = 0
    /// Carriage returns that became line feeds, or part of one.
    public var newlines = 0
    /// Line feeds that were left out, for the one that their carriage return became.
    var dropped = 0

    public init() {}
}
