import CharacterModel
import Tokenization

/// The surprisal of every symbol as tab-separated lines: file, offset of its first byte, line, symbol (escaped as in
/// JSON; `\\end` for the end of a record), nats, rank among all symbols, and the entropy of the prediction, in nats.
public struct SurprisalTable: Sendable {
    private let files: [String]

    /// - Parameter files: the names of the text's files.
    public init(files: [String]) { self.files = files.map { escaped($0) } }

    public static let header = "file\toffset\tline\tsymbol\tnats\trank\tentropy\n"

    public func line(_ surprisal: Surprisal) -> String {
        let symbol = surprisal.symbol.map { escaped($0) } ?? "\\end"
        return "\(files[surprisal.file])\t\(surprisal.offset)\t\(surprisal.line)\t\(symbol)\t\(surprisal.nats)\t"
            + "\(surprisal.prediction.rank)\t\(surprisal.prediction.entropy)\n"
    }
}

/// A symbol as text; bytes that are part of a character as \xC3.
private func escaped(_ symbol: Symbol) -> String {
    guard String(validating: symbol.bytes, as: UTF8.self) != nil else {
        return symbol.escapedBytes
    }
    return escaped(symbol.text)
}

/// A text with control characters, quotes and backslashes escaped as in JSON.
private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        default:
            if scalar.value < 0x20 || scalar.value == 0x7F {
                result += "\\u" + scalar.value.hexadecimal(digits: 4, uppercase: false)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
