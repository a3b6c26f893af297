import CMessageDigest

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
struct SHA256 {
    private var context = SHA2_CTX()

    init() { SHA256Init(&context) }

    mutating func update(_ bytes: UnsafeBufferPointer<UInt8>) { SHA256Update(&context, bytes.baseAddress, bytes.count) }

    /// The digest as 64 lowercase hexadecimal digits; ends the computation.
    mutating func finalize() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256Final(&digest, &context)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
