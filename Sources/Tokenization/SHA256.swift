import COpenSSL

/// The SHA-256 of bytes that come in parts (FIPS 180-4).
package final class SHA256 {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        self.context = context
    }

    /// Of bytes that are all there.
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

    /// In lowercase hexadecimal. Nothing can be added afterwards.
    func finalize() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let code = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(code == 1, "SHA-256 stopped")
        return digest.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }
}
