import CICU

/// The versions of the Unicode library that reads the text.
///
/// Empty if unknown.
public struct UnicodeVersions: Sendable, Equatable {
    public var icu: String
    public var unicode: String

    public init(icu: String, unicode: String) {
        self.icu = icu
        self.unicode = unicode
    }

    /// The versions in use.
    public static let current = UnicodeVersions(icu: read(cicu_icu_version), unicode: read(cicu_unicode_version))

    private static func read(_ function: (UnsafeMutablePointer<CChar>?) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 24) { buffer in
            function(buffer.baseAddress)
            return String(cString: buffer.baseAddress!)
        }
    }
}

/// Throws unless an ICU function succeeded.
func check(_ status: Int32, _ function: String) throws(TextError) {
    guard status == 0 else { throw .unicode(function: function, error: String(cString: cicu_error_name(status))) }
}

/// Converts UTF-8 to UTF-16; ill-formed parts become U+FFFD.
func utf16(of bytes: UnsafeBufferPointer<UInt8>) throws(TextError) -> [UInt16] {
    var status: Int32 = 0
    let units = [UInt16](unsafeUninitializedCapacity: bytes.count) { buffer, count in
        count = Int(cicu_utf16_from_utf8(bytes.baseAddress, Int32(bytes.count), buffer.baseAddress, &status))
        if status != 0 { count = 0 }
    }
    try check(status, "u_strFromUTF8WithSub")
    return units
}

extension Normalization {
    var form: cicu_form? {
        switch self {
        case .nfc: CICU_NFC
        case .nfd: CICU_NFD
        case .nfkc: CICU_NFKC
        case .nfkd: CICU_NFKD
        case .nfkcCasefold: CICU_NFKC_CASEFOLD
        case .none: nil
        }
    }

    /// The normal form of UTF-16 text.
    func apply(to text: [UInt16]) throws(TextError) -> [UInt16] {
        guard let form, !text.isEmpty else { return text }
        var capacity = text.count + text.count / 2 + 16
        while true {
            var status: Int32 = 0
            var needed: Int32 = 0
            let result = [UInt16](unsafeUninitializedCapacity: capacity) { buffer, count in
                needed = cicu_normalize(
                    form, text, Int32(text.count), buffer.baseAddress, Int32(buffer.count), &status)
                count = status == 0 ? Int(needed) : 0
            }
            if status == CICU_OVERFLOW {
                capacity = Int(needed)
                continue
            }
            try check(status, "unorm2_normalize")
            return result
        }
    }
}

/// Finds the ends of grapheme clusters (UAX #29). Use one per thread.
final class ClusterIterator {
    private let breaker: OpaquePointer

    init() throws(TextError) {
        var status: Int32 = 0
        let opened = cicu_breaker_open(&status)
        try check(status, "ubrk_open")
        breaker = opened!
    }

    deinit { cicu_breaker_close(breaker) }

    /// Calls `body` with the end of each cluster of `text`, in UTF-16 units, in order.
    func forEachEnd(in text: UnsafeBufferPointer<UInt16>, _ body: (Int) -> Void) throws(TextError) {
        guard !text.isEmpty else { return }
        var status: Int32 = 0
        cicu_breaker_set_text(breaker, text.baseAddress, Int32(text.count), &status)
        try check(status, "ubrk_setText")
        while true {
            let end = cicu_breaker_next(breaker)
            guard end >= 0 else { return }
            body(Int(end))
        }
    }
}
