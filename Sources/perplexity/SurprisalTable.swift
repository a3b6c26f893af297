import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// What every symbol cost, tab-separated, with a header: file, offset of its first byte, line, symbol (escaped as in JSON;
/// `\\end` for the end of a record), nats, rank among all symbols, and the entropy of what was predicted, in nats.
final class SurprisalTable {
    private let path: String
    private let files: [String]
    private let handle: UnsafeMutablePointer<FILE>
    private var failed = false

    init(path: String, files: [String]) throws(CheckpointError) {
        self.path = path
        self.files = files.map { escaped($0) }
        guard let opened = fopen(path, "w") else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        handle = opened
        put("file\toffset\tline\tsymbol\tnats\trank\tentropy\n")
    }

    deinit { fclose(handle) }

    func add(_ surprisal: Surprisal) {
        let symbol = surprisal.symbol.map { escaped($0) } ?? "\\end"
        put(
            "\(files[surprisal.file])\t\(surprisal.offset)\t\(surprisal.line)\t\(symbol)\t\(surprisal.nats)\t"
                + "\(surprisal.prediction.rank)\t\(surprisal.prediction.entropy)\n")
    }

    /// Throws if any line was lost.
    func finish() throws(CheckpointError) {
        guard fflush(handle) == 0, !failed else {
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
    }

    private func put(_ line: String) { if fputs(line, handle) < 0 { failed = true } }
}

/// A symbol as text; bytes that are part of a character as \xC3.
private func escaped(_ symbol: Symbol) -> String {
    guard String(validating: symbol.bytes, as: UTF8.self) != nil else {
        return symbol.bytes.map { String(format: "\\x%02X", $0) }.joined()
    }
    return escaped(symbol.text)
}

/// A text without control characters, quotes or backslashes: those are written as in JSON.
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
                result += String(format: "\\u%04x", scalar.value)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
