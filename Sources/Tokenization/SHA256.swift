import COpenSSL

/// Incremental SHA-256 (FIPS 180-4).
package final class SHA256 {
    private var context = SHA256_CTX()

    init() {
        let code = SHA256_Init(&context)
        precondition(code == 1, "OpenSSL has no SHA-256")
    }

    /// The SHA-256 of a complete array of bytes.
    package static func hash(of bytes: [UInt8]) -> String {
        let sum = SHA256()
        bytes.withUnsafeBufferPointer { sum.update($0) }
        return sum.finalize()
    }

    func update(_ bytes: UnsafeBufferPointer<UInt8>) {
        let code = SHA256_Update(&context, bytes.baseAddress, bytes.count)
        precondition(code == 1, "SHA-256 stopped")
    }

    /// The digest in lowercase hexadecimal. Nothing can be added afterwards.
    func finalize() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let code = SHA256_Final(&digest, &context)
        precondition(code == 1, "SHA-256 stopped")
        return digest.map { $0.hexadecimal(digits: 2, uppercase: false) }.joined()
    }
}
