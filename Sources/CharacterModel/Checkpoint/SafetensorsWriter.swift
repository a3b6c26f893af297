import CZlib
import FoundationEssentials
import Glibc

/// Writes a safetensors file: eight bytes of header length, a JSON header padded to a multiple of 8, and tensors
/// without gaps.
struct SafetensorsWriter {
    /// A tensor.
    struct Tensor {
        let name: String
        let shape: [Int]
        let elements: Elements

        /// Floats are evaluated when they are written.
        init(name: String, shape: [Int], floats: @escaping () -> [Float]) {
            (self.name, self.shape, elements) = (name, shape, .floats(floats))
        }

        init(name: String, shape: [Int], integers: [Int32]) {
            (self.name, self.shape, elements) = (name, shape, .integers(integers))
        }

        enum Elements {
            case floats(() -> [Float])
            case integers([Int32])

            var type: String {
                switch self {
                case .floats: "F32"
                case .integers: "I32"
                }
            }
        }
    }

    /// What the header says about a tensor; every type has four bytes an element.
    struct Entry: Encodable {
        var dtype = "F32"
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private enum Item: Encodable {
        case metadata([String: String])
        case tensor(Entry)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .metadata(let values): try values.encode(to: encoder)
            case .tensor(let entry): try entry.encode(to: encoder)
            }
        }
    }

    static let blankChecksum = "00000000"
    static let checksumField = Array("\"checksum\":\"".utf8)

    /// Writes the file at `path` atomically, with its CRC-32 in the metadata as `checksum`.
    static func write(
        metadata: [String: String], tensors: [Tensor], to path: String, replacing earlier: EarlierFiles = .none,
        on files: any FileSystem = SystemFiles()
    ) throws(CheckpointError) {
        var metadata = metadata
        metadata["checksum"] = blankChecksum
        let header = header(metadata, entries(tensors.map { ($0.name, $0.elements.type, $0.shape) }))
        var file = try AtomicFile(replacing: path, on: files)
        var checksum = crc32(0, nil, 0)
        func put(_ bytes: RawSpan) throws(CheckpointError) {
            checksum = bytes.withUnsafeBytes {
                crc32_z(checksum, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
            }
            try file.append(bytes)
        }
        try put([UInt64(header.count).littleEndian].span.bytes)
        try put(header.span.bytes)
        for tensor in tensors {
            let count = tensor.shape.reduce(1, *)
            switch tensor.elements {
            case .floats(let make):
                let elements = make()
                precondition(elements.count == count, "\(tensor.name) does not match its shape")
                try put(elements.span.bytes)
            case .integers(let elements):
                precondition(elements.count == count, "\(tensor.name) does not match its shape")
                try put(elements.span.bytes)
            }
        }
        let digits = Array(UInt32(checksum).hexadecimal(digits: 8, uppercase: false).utf8)
        let at = 8 + header.firstRange(of: checksumField)!.upperBound
        try file.write(digits.span.bytes, at: at)
        try file.commit(replacing: earlier)
    }

    /// The entries of tensors without gaps, by name.
    static func entries(_ tensors: [(name: String, type: String, shape: [Int])]) -> [String: Entry] {
        var offset = 0
        return tensors.reduce(into: [:]) { entries, tensor in
            let end = offset + 4 * tensor.shape.reduce(1, *)
            entries[tensor.name] = Entry(dtype: tensor.type, shape: tensor.shape, offsets: [offset, end])
            offset = end
        }
    }

    /// The JSON header, padded.
    static func header(_ metadata: [String: String], _ entries: [String: Entry]) -> [UInt8] {
        var items = entries.mapValues { Item.tensor($0) }
        items["__metadata__"] = .metadata(metadata)
        var header = Array(json(items).utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        return header
    }
}

/// Compact JSON with sorted keys: the same value always gives the same bytes.
func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding fails only for numbers that are not finite, and there are none.
    guard let data = try? encoder.encode(value) else { preconditionFailure("a value that is not finite") }
    return String(decoding: data, as: UTF8.self)
}
