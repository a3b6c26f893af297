/// An event of TensorBoard, the fields that curves need, in the wire format of Protocol Buffers (protobuf.dev, "Encoding").
///
/// Three messages with seven fields: a library for them took a quarter of the time to build the commands.
enum EventMessage {
    /// The first event of a file.
    static func version(at time: Double) -> [UInt8] {
        var event = ProtobufFields()
        event.add(1, time)
        event.add(3, Array("brain.Event:2".utf8))
        return event.bytes
    }

    /// The points of curves at a step. `time` is in seconds since 1970.
    static func points(_ values: [(tag: String, value: Double)], step: Int, at time: Double) -> [UInt8] {
        var summary = ProtobufFields()
        for (tag, value) in values {
            var point = ProtobufFields()
            point.add(1, Array(tag.utf8))
            point.add(2, Float(value))
            summary.add(1, point.bytes)
        }
        var event = ProtobufFields()
        event.add(1, time)
        event.add(2, UInt64(step))
        event.add(5, summary.bytes)
        return event.bytes
    }
}

/// The fields of a message, each a key (number and wire type) and a value.
private struct ProtobufFields {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    /// Left out if it is zero, as proto3 does for whole numbers.
    mutating func add(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        add(field, .varint)
        add(varint: value)
    }

    mutating func add(_ field: UInt64, _ value: Double) {
        add(field, .fixed64)
        add(fixed: value.bitPattern)
    }

    /// Even if it is zero: it is one of several kinds of values, which must show.
    mutating func add(_ field: UInt64, _ value: Float) {
        add(field, .fixed32)
        add(fixed: value.bitPattern)
    }

    /// A string or a message.
    mutating func add(_ field: UInt64, _ value: [UInt8]) {
        add(field, .lengthDelimited)
        add(varint: UInt64(value.count))
        bytes += value
    }

    private mutating func add(_ field: UInt64, _ type: WireType) { add(varint: field << 3 | type.rawValue) }

    private mutating func add(fixed value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    private mutating func add(varint value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
