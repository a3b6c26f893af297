import Foundation
import Tokenization

/// What stands in safetensors files, read without the project's own reader.
package enum Tensors {
    /// The SHA-256 of the names and elements of all tensors in some files, whatever their order there.
    package static func sha256(_ paths: [String]) -> String {
        var bytes: [UInt8] = []
        for path in paths {
            let file = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
            let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            let header = try? JSONSerialization.jsonObject(with: Data(file.dropFirst(8).prefix(length)))
            for (name, entry) in (header as? [String: [String: Any]] ?? [:]).sorted(by: { $0.key < $1.key }) {
                guard let range = entry["data_offsets"] as? [Int] else { continue }
                bytes += Array(name.utf8) + file[8 + length + range[0]..<8 + length + range[1]]
            }
        }
        return SHA256.hash(of: bytes)
    }
}
