import FoundationEssentials

/// A value of a request's body.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// - Throws: `APIError` if the bytes are not JSON (RFC 8259), or have more parts than any request needs.
    public init(parsing bytes: some Sequence<UInt8>) throws(APIError) {
        var parser = JSONParser(bytes: Array(bytes))
        self = try parser.document()
    }

    /// As an error names its kind.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Reads untrusted JSON in time that is linear in its length. (Foundation's decoder, asked for a value of any kind, takes minutes for
/// a megabyte of brackets.)
private struct JSONParser {
    let bytes: [UInt8]
    private var place = 0
    /// Values that may still come.
    private var left = 20_000
    private static let deepest = 16
    private static let malformed = APIError(.badRequest, "the body is not JSON in UTF-8")

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(APIError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw Self.malformed }
        return value
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) throws(APIError) -> JSONValue {
        left -= 1
        guard left > 0, depth <= Self.deepest else {
            throw APIError(.badRequest, "the body has too many values, or they are nested too deeply")
        }
        if take("{") { return .object(try members(depth)) }
        if take("[") {
            var values: [JSONValue] = []
            if take("]") { return .array(values) }
            repeat { values.append(try value(depth: depth + 1)) } while take(",")
            guard take("]") else { throw Self.malformed }
            return .array(values)
        }
        if next == UInt8(ascii: "\"") { return .string(try string()) }
        let start = place
        while let byte = next, !",]} \t\n\r".utf8.contains(byte) { place += 1 }
        switch String(decoding: bytes[start..<place], as: UTF8.self) {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case let word:
            guard Self.isNumber(word.utf8), let number = Double(word), number.isFinite else { throw Self.malformed }
            return .number(number)
        }
    }

    /// As RFC 8259, section 6, has it; a regular expression takes a hundred times as long.
    private static func isNumber(_ word: String.UTF8View) -> Bool {
        var rest = word[...]
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        func digits() -> Bool {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count > 0
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "0") { rest = rest.dropFirst() } else if !digits() { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if !digits() { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            if !digits() { return false }
        }
        return rest.isEmpty
    }

    private mutating func members(_ depth: Int) throws(APIError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        if take("}") { return members }
        repeat {
            skipSpace()
            let key = try string()
            guard take(":") else { throw Self.malformed }
            guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw APIError(.badRequest, "\(key.prefix(64)) is there twice")
            }
        } while take(",")
        guard take("}") else { throw Self.malformed }
        return members
    }

    private mutating func string() throws(APIError) -> String {
        guard next == UInt8(ascii: "\"") else { throw Self.malformed }
        let start = place
        var hasEscapes = false
        place += 1
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Self.malformed }
            hasEscapes = hasEscapes || byte == UInt8(ascii: "\\")
            place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard place < bytes.count else { throw Self.malformed }
        place += 1
        let text =
            hasEscapes
            ? try? JSONDecoder().decode(String.self, from: Data(bytes[start..<place]))
            : String(validating: bytes[start + 1..<place - 1], as: UTF8.self)
        guard let text else { throw Self.malformed }
        return text
    }
}
