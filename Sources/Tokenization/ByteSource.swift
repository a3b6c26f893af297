import CZlib
import Glibc

/// The bytes of a file (decompressed if its name ends in `.gz`), of the standard input, or of memory.
final class ByteSource {
    private enum Kind {
        case descriptor(Int32, closes: Bool)
        case gzip(gzFile)
        case memory([UInt8], position: Int)
    }

    private var kind: Kind
    private let name: String

    /// - Throws: `TextError.missing`, `TextError.unreadable`.
    init(_ source: TextSource) throws(TextError) {
        name = source.name
        switch source {
        case .bytes(let bytes, _): kind = .memory(bytes, position: 0)
        case .standardInput: kind = .descriptor(0, closes: false)
        case .file(let path):
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                if errno == ENOENT { throw .missing(path: path) }
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            kind = .descriptor(descriptor, closes: true)
            if path.hasSuffix(".gz"), let file = gzdopen(descriptor, "rb") {
                gzbuffer(file, 1 << 17)
                kind = .gzip(file)
            }
        }
    }

    deinit {
        switch kind {
        case .descriptor(let descriptor, closes: true): close(descriptor)
        case .gzip(let file): gzclose_r(file)
        default: break
        }
    }

    /// Fills the beginning of a buffer; returns the number of bytes read, 0 at the end of the text.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TextError) -> Int {
        switch kind {
        case .memory(let bytes, let position):
            let count = min(buffer.count, bytes.count - position)
            bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[position..<position + count])) }
            kind = .memory(bytes, position: position + count)
            return count
        case .descriptor(let descriptor, _):
            while true {
                let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                if got >= 0 { return got }
                guard errno == EINTR else { throw .unreadable(path: name, reason: String(cString: strerror(errno))) }
            }
        case .gzip(let file):
            let got = gzread(file, buffer.baseAddress, UInt32(buffer.count))
            if got > 0 { return Int(got) }
            var code: Int32 = 0
            let message = String(cString: gzerror(file, &code))
            guard got == 0 && (code == Z_OK || code == Z_STREAM_END) else {
                let reason = code == Z_BUF_ERROR ? "it ends too early" : message
                throw .damaged(path: name, reason: reason)
            }
            return 0
        }
    }
}
