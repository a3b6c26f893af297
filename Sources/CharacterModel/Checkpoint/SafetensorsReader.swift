import CZlib
import Glibc

/// A safetensors file, read into memory and verified before anything in it is used.
struct SafetensorsFile {
    let path: String
    let metadata: [String: String]
    private let tensors: [String: Tensor]
    private let bytes: [UInt8]
    private let dataStart: Int

    struct Tensor: Sendable {
        let type: String
        let shape: [Int]
        let range: Range<Int>
    }

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private struct Header: Decodable {
        var metadata: [String: String] = [:]
        var entries: [String: Entry] = [:]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: AnyKey.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try container.decode([String: String].self, forKey: key)
                } else {
                    entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
                }
            }
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(contentsOf path: String) throws(CheckpointError) { try self.init(bytes: Self.read(path), path: path) }

    /// - Parameter path: the file's name in error messages.
    init(bytes: [UInt8], path: String) throws(CheckpointError) {
        self.path = path
        self.bytes = bytes
        guard bytes.count >= 8 else {
            throw bytes.isEmpty || bytes.contains(0) ? .cutShort(path: path) : .notSafetensors(path: path)
        }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // The format's limit; text misread as a length is far above it.
        guard length <= 100_000_000, bytes.count < 9 || bytes[8] == UInt8(ascii: "{") else {
            throw .notSafetensors(path: path)
        }
        guard Int(length) <= bytes.count - 8 else { throw .cutShort(path: path) }
        dataStart = 8 + Int(length)
        let header: Header
        do { header = try StrictJSON.decode(Header.self, from: bytes[8..<dataStart]) } catch {
            switch error {
            case .malformed, .missing, .wrong: throw .headerNotJSON(path: path)
            case .tooDeep: throw .headerTooDeep(path: path)
            case .repeatedKey(let key): throw .repeatedKey(path: path, key: key)
            }
        }
        metadata = header.metadata
        tensors = try Self.tensors(header.entries, size: bytes.count - dataStart, path: path, dataStart: dataStart)
        try verifyChecksum()
    }

    /// The bytes of a regular file, up to its size when opened.
    private static func read(_ path: String) throws(CheckpointError) -> [UInt8] {
        // Opening a pipe without a writer would block.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { throw .missing(path: path) }
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "it is not a file") }
        // A sparse file may claim more than the machine's memory.
        let size = Int(status.st_size)
        guard size <= sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) else {
            throw .tooLarge(path: path, bytes: size)
        }
        // The empty array is shared by all threads; do not write to it, not even zero bytes.
        guard size > 0 else { return [] }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
            while done < size {
                let got = Glibc.read(file, buffer.baseAddress! + done, min(size - done, 1 << 30))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                // The file has become shorter; checking the header will detect that.
                guard got > 0 else { break }
                done += got
            }
        }
        guard failure == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(failure))) }
        return bytes
    }

    /// All of four bytes an element.
    private static let types = ["F32", "I32"]

    /// Checks types, shapes and offsets: the tensors cover the data without overlaps or gaps.
    private static func tensors(
        _ entries: [String: Entry], size: Int, path: String, dataStart: Int
    ) throws(CheckpointError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, entry) in entries {
            guard types.contains(entry.dtype) else {
                throw .unsupportedType(path: path, tensor: name, type: entry.dtype)
            }
            var count = 4
            for size in entry.shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard size >= 0, !overflow else { throw .badShape(path: path, tensor: name) }
                count = product
            }
            guard entry.offsets.count == 2, entry.offsets[0] >= 0,
                entry.offsets[1] >= entry.offsets[0],
                entry.offsets[1] - entry.offsets[0] == count
            else { throw .badOffsets(path: path, tensor: name) }
            tensors[name] = Tensor(
                type: entry.dtype, shape: entry.shape, range: entry.offsets[0]..<entry.offsets[1])
        }
        var end = 0
        for (name, tensor) in tensors.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
                < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
        }) {
            guard tensor.range.lowerBound == end else { throw .notContiguous(path: path, tensor: name) }
            end = tensor.range.upperBound
        }
        guard end == size else { throw .wrongSize(path: path, expected: dataStart + end, found: dataStart + size) }
        return tensors
    }

    /// A file without a checksum was written by another tool and is accepted.
    private func verifyChecksum() throws(CheckpointError) {
        guard let stored = metadata["checksum"] else {
            // A checksum key with a damaged name must not count as a missing checksum.
            let name = "checksum".utf8
            let stray = metadata.keys.contains { key in
                key.utf8.count == name.count && zip(key.utf8, name).filter { $0 != $1 }.count == 1
            }
            if stray { throw .checksumMismatch(path: path) }
            return
        }
        var header = Array(bytes[..<dataStart])
        guard let field = header.firstRange(of: SafetensorsWriter.checksumField),
            stored.utf8.count == 8, field.upperBound + 8 <= header.count
        else { throw .checksumMismatch(path: path) }
        header.replaceSubrange(field.upperBound..<field.upperBound + 8, with: SafetensorsWriter.blankChecksum.utf8)
        var checksum = crc32_z(crc32(0, nil, 0), header, header.count)
        checksum = bytes[dataStart...].withUnsafeBytes {
            crc32_z(checksum, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
        }
        guard Array(stored.utf8) == Array(UInt32(checksum).hexadecimal(digits: 8, uppercase: false).utf8) else {
            throw .checksumMismatch(path: path)
        }
    }

    func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// The elements of a tensor, checked to be finite.
    ///
    /// - Parameter shape: the shape it must have; nil for any.
    func elements(of name: String, shape: [Int]?) throws(CheckpointError) -> (shape: [Int], elements: [Float]) {
        let (found, elements) = try elements(of: name, type: "F32", shape: shape, as: Float.self)
        guard elements.allSatisfy(\.isFinite) else { throw .notFinite(path: path, tensor: name) }
        return (found, elements)
    }

    /// The elements of a tensor of integers.
    func integers(of name: String) throws(CheckpointError) -> [Int32] {
        guard tensors[name]?.type ?? "I32" == "I32" else { throw .badShape(path: path, tensor: name) }
        return try elements(of: name, type: "I32", shape: nil, as: Int32.self).elements
    }

    private func elements<Element: BitwiseCopyable>(
        of name: String, type: String, shape: [Int]?, as _: Element.Type
    ) throws(CheckpointError) -> (shape: [Int], elements: [Element]) {
        guard let tensor = tensors[name] else { throw .missingTensor(path: path, tensor: name) }
        if let shape, shape != tensor.shape {
            throw .wrongShape(path: path, tensor: name, expected: shape, found: tensor.shape)
        }
        guard tensor.type == type else { throw .unsupportedType(path: path, tensor: name, type: tensor.type) }
        let count = tensor.range.count / 4
        let elements = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let start = dataStart + tensor.range.lowerBound
            bytes[start..<start + 4 * count].withUnsafeBytes {
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0)
            }
            initialized = count
        }
        return (tensor.shape, elements)
    }
}
