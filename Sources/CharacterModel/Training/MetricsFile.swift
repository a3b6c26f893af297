import Foundation

/// The metrics of a training, one JSON object a line, each written as soon as it is known.
final class MetricsFile {
    private let path: String
    private let descriptor: Int32
    /// Bytes written so far.
    private(set) var length: Int

    /// Opens the file and drops what lies beyond `length`: lines of steps that a resumed run does again.
    init(path: String, keeping length: Int) throws(CheckpointError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        // A pipe or a terminal has no length, and nothing to drop.
        let size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
        self.length = min(length, size)
        guard size <= length || (ftruncate(descriptor, off_t(length)) == 0 && lseek(descriptor, 0, SEEK_END) >= 0)
        else {
            let failure = Self.failure(path)
            close(descriptor)
            throw failure
        }
    }

    deinit { close(descriptor) }

    func append(_ line: String) throws(CheckpointError) {
        let bytes = Array((line + "\n").utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            done += count
        }
        length += bytes.count
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
