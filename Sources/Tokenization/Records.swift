/// Where one record of a text ends and the next begins: names, poems, games, messages.
///
/// Separators are not part of the records; the boundary symbol replaces them.
public enum RecordSeparator: Sendable, Equatable {
    /// At each line feed.
    case line
    /// At one or more lines that are empty or blank.
    case blankLine
    /// At the end of each file.
    case file
    /// At each occurrence of a non-empty text.
    case text(String)

    /// `line`, `blank-line`, `file`, or the text.
    public var name: String {
        switch self {
        case .line: "line"
        case .blankLine: "blank-line"
        case .file: "file"
        case .text(let text): text
        }
    }

    /// The separator's length in bytes, as far as it is fixed: a run of blank lines can be any length.
    public var length: Int {
        switch self {
        case .line: 1
        case .blankLine: 2
        case .file: 0
        case .text(let text): text.utf8.count
        }
    }

    /// - Requires: a non-empty name.
    public init(name: String) {
        switch name {
        case "line": self = .line
        case "blank-line": self = .blankLine
        case "file": self = .file
        default:
            precondition(!name.isEmpty, "an empty text separates nothing")
            self = .text(name)
        }
    }
}
