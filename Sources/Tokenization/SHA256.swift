import COpenSSL

/// Incremental SHA-256 (FIPS 180-4).
package final class SHA256 {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        self.context = context
    }

    /// The SHA-256 of a complete array of bytes.
    package static func hash(of bytes: [UInt8]) -> String {
        let sum = SHA256()
        bytes.withUnsafeBufferPointer { sum.update($0) }
        return sum.finalize()
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeBufferPointer<UInt8>) {
        let code = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(code == 1, "SHA-256 stopped")
    }

    /// The digest in lowercase hexadecimal. Nothing can be added afterwards.
    func finalize() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let code = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(code == 1, "SHA-256 stopped")
        return digest.map { $0.hexadecimal(digits: 2, uppercase: false) }.joined()
    }
}
