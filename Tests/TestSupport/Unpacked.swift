import CZlib
import Foundation

/// The bytes of a page's packed data: base 64, then zlib.
package func unpacked(_ text: String) throws -> [UInt8] {
    let data = Array(Data(base64Encoded: text) ?? Data())
    var size = uLong(1 << 22)
    var bytes = [UInt8](repeating: 0, count: Int(size))
    guard uncompress(&bytes, &size, data, uLong(data.count)) == Z_OK else { throw CocoaError(.fileReadCorruptFile) }
    return Array(bytes.prefix(Int(size)))
}
