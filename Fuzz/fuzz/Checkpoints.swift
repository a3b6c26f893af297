import CFuzzer
import CZlib
import CharacterModel
import Foundation

/// Any bytes are either a checkpoint or a typed error, with and without the state of a training.
func fuzzCheckpoint(_ bytes: UnsafeBufferPointer<UInt8>) {
    for withState in [false, true] {
        do {
            let checkpoint = try Checkpoint(bytes: Array(bytes), name: "m", withState: withState)
            require(checkpoint.parameters.elements.allSatisfy(\.isFinite), "weights that are not finite")
        } catch {
            require(!error.description.contains("\n"), "an error of two lines: \(error)")
        }
    }
}

/// Mutates a checkpoint where it matters: the header as text, its numbers, the data. Then it repairs the length of the
/// header and, usually, the checksum, so that the code after those checks is reached.
func mutateCheckpoint(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ capacity: Int, _ seed: UInt32) -> Int {
    var random = seed
    func draw(_ count: Int) -> Int {
        random = random &* 1_664_525 &+ 1_013_904_223
        return Int(random >> 8) % max(1, count)
    }
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let length = size >= 8 ? bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : .max
    guard length <= UInt64(max(0, size - 8)), draw(8) > 0 else { return LLVMFuzzerMutate(data, size, capacity) }
    var (header, body) = (Array(bytes[8..<8 + Int(length)]), Array(bytes[(8 + Int(length))...]))
    switch draw(4) {
    case 0: header = mutated(header)
    case 1: body = mutated(body)
    case 2: replaceNumber(in: &header, draw)
    default:
        replaceNumber(in: &header, draw)
        header = mutated(header)
    }
    var result = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + body
    if draw(8) > 0 { repairChecksum(of: &result, header: header.count) }
    result = Array(result.prefix(capacity))
    _ = UnsafeMutableBufferPointer(start: data, count: result.count).update(fromContentsOf: result)
    return result.count
}

private func mutated(_ bytes: [UInt8]) -> [UInt8] {
    let capacity = bytes.count + 64
    return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        _ = buffer.update(fromContentsOf: bytes)
        count = LLVMFuzzerMutate(buffer.baseAddress!, bytes.count, capacity)
    }
}

/// Replaces a run of digits by another number.
private func replaceNumber(in header: inout [UInt8], _ draw: (Int) -> Int) {
    let digits = header.indices.filter { (0x30...0x39).contains(header[$0]) }
    guard !digits.isEmpty else { return }
    var start = digits[draw(digits.count)]
    var end = start + 1
    while start > 0 && (0x30...0x39).contains(header[start - 1]) { start -= 1 }
    while end < header.count && (0x30...0x39).contains(header[end]) { end += 1 }
    let numbers = [
        "0", "1", "-1", "2", "4", "8", "12", "64", "65", "32768", "4294967296", "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551616", "1e99", "0.5", "null", "[]",
    ]
    header.replaceSubrange(start..<end, with: numbers[draw(numbers.count)].utf8)
}

private func repairChecksum(of bytes: inout [UInt8], header: Int) {
    guard let field = bytes[8..<8 + header].firstRange(of: Array("\"checksum\":\"".utf8)),
        field.upperBound + 8 <= 8 + header
    else { return }
    let place = field.upperBound..<field.upperBound + 8
    bytes.replaceSubrange(place, with: "00000000".utf8)
    let checksum = crc32_z(crc32(0, nil, 0), bytes, bytes.count)
    bytes.replaceSubrange(place, with: String(format: "%08x", UInt32(checksum)).utf8)
}
