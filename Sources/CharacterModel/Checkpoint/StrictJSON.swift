import FoundationEssentials

/// Reads untrusted JSON.
///
/// Foundation's decoder accepts an object with a repeated key and keeps one of the values. Such a file, which two
/// readers may understand differently, is rejected here (RFC 8259, section 4). Nesting depth is limited too.
enum StrictJSON {
    enum Flaw: Error, Equatable {
        case malformed
        /// A required key is missing, or its value is wrong.
        case missing(key: String)
        case wrong(key: String)
        case repeatedKey(String)
        case tooDeep
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ArraySlice<UInt8>) throws(Flaw) -> Value {
        var scanner = Scanner(bytes: bytes)
        try scanner.skipDocument()
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch { throw flaw(error) }
    }

    private static func flaw(_ error: any Error) -> Flaw {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + [last].compactMap(\.self)).map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context): .missing(key: path(context, key))
        case DecodingError.valueNotFound(_, let context): .missing(key: path(context))
        case DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty ? .malformed : .wrong(key: path(context))
        default: .malformed
        }
    }

    private static let deepest = 32
    private static let structure = Array(",]}:\"[{".utf8)

    /// Scans a document; what it accepts may still be malformed.
    private struct Scanner {
        let bytes: ArraySlice<UInt8>
        var place: Int

        init(bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            place = bytes.startIndex
        }

        mutating func skipDocument() throws(Flaw) {
            try skipValue(depth: 0)
            skipSpace()
            guard place == bytes.endIndex else { throw .malformed }
        }

        private mutating func skipSpace() {
            while let byte = peek(), isSpace(byte) { place += 1 }
        }

        private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

        private func peek() -> UInt8? { place < bytes.endIndex ? bytes[place] : nil }

        private mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard peek() == byte else { return false }
            place += 1
            return true
        }

        private mutating func skipValue(depth: Int) throws(Flaw) {
            guard depth <= deepest else { throw .tooDeep }
            skipSpace()
            switch peek() {
            case UInt8(ascii: "{"): try skipObject(depth: depth)
            case UInt8(ascii: "["):
                place += 1
                if take(UInt8(ascii: "]")) { return }
                repeat { try skipValue(depth: depth + 1) } while take(UInt8(ascii: ","))
                guard take(UInt8(ascii: "]")) else { throw .malformed }
            case UInt8(ascii: "\""): _ = try skipString()
            default:
                // A number or a literal: the decoder checks it.
                let start = place
                while let byte = peek(), !isSpace(byte), !StrictJSON.structure.contains(byte) { place += 1 }
                guard place > start else { throw .malformed }
            }
        }

        private mutating func skipObject(depth: Int) throws(Flaw) {
            place += 1
            if take(UInt8(ascii: "}")) { return }
            var keys: Set<[UInt8]> = []
            repeat {
                skipSpace()
                let key = try skipString()
                guard keys.insert(key).inserted else { throw .repeatedKey(String(decoding: key, as: UTF8.self)) }
                guard take(UInt8(ascii: ":")) else { throw .malformed }
                try skipValue(depth: depth + 1)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw .malformed }
        }

        /// Returns the UTF-8 of the string, with escapes resolved.
        private mutating func skipString() throws(Flaw) -> [UInt8] {
            guard peek() == UInt8(ascii: "\"") else { throw .malformed }
            let start = place
            place += 1
            var isEscaped = false
            while let byte = peek(), byte != UInt8(ascii: "\"") {
                isEscaped = isEscaped || byte == UInt8(ascii: "\\")
                place += byte == UInt8(ascii: "\\") ? 2 : 1
            }
            guard place < bytes.endIndex else { throw .malformed }
            place += 1
            guard isEscaped else { return Array(bytes[start + 1..<place - 1]) }
            guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<place])) else {
                throw .malformed
            }
            return Array(text.utf8)
        }
    }
}
