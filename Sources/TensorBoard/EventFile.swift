import FoundationEssentials
import Glibc

/// A file of events that TensorBoard shows as curves.
///
/// Events are records of TensorFlow's format: the length, its checksum, the message, its checksum; all little-endian, checksums
/// CRC-32C, rotated and shifted by a constant.
public final class EventFile {
    public let path: String
    private let handle: UnsafeMutablePointer<FILE>
    /// Why a write failed, if one did; later writes are not attempted.
    private var failure: Int32 = 0

    /// Creates a file in a folder, which is created if missing.
    ///
    /// - Throws: `EventFileError` if it cannot be created.
    public init(folder: String, now: Date = Date()) throws(EventFileError) {
        // TensorBoard finds the file by the form of its name.
        path = "\(folder)/events.out.tfevents.\(Int(now.timeIntervalSince1970)).escriba.\(getpid())"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard let opened = fopen(path, "wx") else {
            throw EventFileError(path: path, reason: String(cString: strerror(errno)))
        }
        handle = opened
        write(EventMessage.version(at: now.timeIntervalSince1970))
    }

    deinit { fclose(handle) }

    /// Adds points of some curves at a step.
    public func add(step: Int, at time: Date = Date(), _ values: [(tag: String, value: Double)]) {
        write(EventMessage.points(values, step: step, at: time.timeIntervalSince1970))
    }

    /// Flushes all events to the system.
    ///
    /// - Throws: `EventFileError` if an event was lost.
    public func flush() throws(EventFileError) {
        if failure == 0 && fflush(handle) != 0 { failure = errno }
        guard failure == 0 else { throw EventFileError(path: path, reason: String(cString: strerror(failure))) }
    }

    private func write(_ message: [UInt8]) {
        guard failure == 0 else { return }
        let record = Self.record(message)
        if fwrite(record, 1, record.count, handle) != record.count { failure = errno }
    }

    /// A message with its length and checksums.
    static func record(_ message: [UInt8]) -> [UInt8] {
        func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian, Array.init)
        }
        let length = bytes(UInt64(message.count))
        return length + bytes(masked(crc32c(length))) + message + bytes(masked(crc32c(message)))
    }

    private static func masked(_ sum: UInt32) -> UInt32 { (sum >> 15 | sum << 17) &+ 0xA282_EAD8 }

    /// The Castagnoli polynomial, bit by bit: events are few and short.
    static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
        }
        return ~sum
    }
}

/// An event file that cannot be written.
public struct EventFileError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "\(path) cannot be written: \(reason); choose another folder" }
}
