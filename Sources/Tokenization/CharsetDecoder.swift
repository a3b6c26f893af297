import CICU

/// The name of the charset with an index; nil past the last one.
func charset(_ index: Int32) -> String? { cicu_charset(index).map { String(cString: $0) } }

/// Converts the bytes of a charset to UTF-8, one part of the text at a time.
final class CharsetDecoder {
    let name: String
    private let converter: OpaquePointer
    private let policy: InvalidPolicy
    private var units = [UInt16](repeating: 0, count: 1 << 16)
    /// The number of units at the beginning of `units` that wait for the second half of a surrogate pair.
    private var waiting = 0
    /// Ill-formed sequences so far.
    private(set) var invalid = 0
    private var consumed = 0
    /// Bytes held back until they fill a block.
    private var held: [UInt8] = []
    private static let blockSize = 1 << 16

    /// - Throws: `TextError.unknownEncoding`.
    init(_ name: String, policy: InvalidPolicy) throws(TextError) {
        var status: Int32 = 0
        guard let converter = cicu_converter_open(name, &status), status == 0 else {
            throw .unknownEncoding(name: name)
        }
        self.name = name
        self.converter = converter
        self.policy = policy
    }

    deinit { cicu_converter_close(converter) }

    /// Appends the UTF-8 of the next bytes.
    ///
    /// ICU gets blocks of a fixed size, so that the result does not depend on how the bytes arrive: at the edge of a
    /// block it may report an ill-formed sequence a byte or two late.
    ///
    /// - Throws: `TextError.invalidEncoding` if the policy is `error`.
    func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, path: String, into text: inout [UInt8]
    ) throws(TextError) {
        var rest = bytes[...]
        while !rest.isEmpty || isLast {
            let part = rest.prefix(Self.blockSize - held.count)
            held += part
            rest = rest.dropFirst(part.count)
            let isEnd = isLast && rest.isEmpty
            guard held.count == Self.blockSize || isEnd else { break }
            try held.withUnsafeBufferPointer { block throws(TextError) in
                try decodeBlock(block, isLast: isEnd, path: path, into: &text)
            }
            held.removeAll(keepingCapacity: true)
            if isEnd { break }
        }
    }

    /// Appends the UTF-8 of bytes decoded in one go.
    func decodeBlock(
        _ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, path: String, into text: inout [UInt8]
    ) throws(TextError) {
        let begin = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
        var source: UnsafePointer<UInt8>? = begin
        let end = begin + bytes.count
        while true {
            var (illFormed, pending, status): (Int32, Int32, Int32) = (0, 0, 0)
            let capacity = units.count - waiting
            let written = Int(
                units.withUnsafeMutableBufferPointer {
                    cicu_convert(
                        converter, &source, end, isLast ? 1 : 0, $0.baseAddress! + waiting, Int32(capacity),
                        &illFormed, &pending, &status)
                })
            try check(status, "ucnv_toUnicode")
            // A full buffer may end between the halves of a surrogate pair.
            let isWhole = written < capacity && (illFormed > 0 || (isLast && source! == end))
            try append(waiting + written, isLast: isWhole, to: &text)
            if illFormed > 0 {
                let offset = consumed + (source! - begin) - Int(illFormed + pending)
                guard policy != .error else { throw .invalidEncoding(path: path, encoding: name, offset: offset) }
                invalid += 1
                if policy == .replace { text += [0xEF, 0xBF, 0xBD] }
            } else if source! == end && written < capacity {
                break
            }
        }
        consumed += bytes.count
    }

    /// Appends the first units as UTF-8, except for half a surrogate pair at their end.
    private func append(_ count: Int, isLast: Bool, to text: inout [UInt8]) throws(TextError) {
        let splits = !isLast && count > 0 && units[count - 1] & 0xFC00 == 0xD800
        let whole = splits ? count - 1 : count
        if whole > 0 {
            var status: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 3 * whole) { buffer, size in
                size = Int(cicu_utf8_from_utf16(units, Int32(whole), buffer.baseAddress, &status))
                if status != 0 { size = 0 }
            }
            try check(status, "u_strToUTF8")
            text += bytes
        }
        if splits { units[0] = units[count - 1] }
        waiting = splits ? 1 : 0
    }
}
