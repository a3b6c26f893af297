import CharacterModel
import Foundation

/// The metrics of a training, one JSON object a line, each written as soon as it is known.
///
/// Lines that cannot be written (the disk is full, say) wait for the next attempt.
final class MetricsFile {
    private let path: String
    private let descriptor: Int32
    /// A pipe or a terminal has no length, and is not waited for.
    private let isRegular: Bool
    /// Bytes of whole lines written so far.
    private(set) var length: Int
    private var waiting: [UInt8] = []
    /// Lines that are not written yet.
    var waitingLines: String? { waiting.isEmpty ? nil : String(decoding: waiting, as: UTF8.self) }

    /// Opens the file and drops what lies beyond `length`: lines of steps that a resumed run does again.
    ///
    /// A pipe must have a reader, and is never waited for.
    ///
    /// - Parameter resumes: whether the file must hold metrics already, if it holds anything.
    init(path: String, keeping length: Int, resumes: Bool) throws(CheckpointError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let size = isRegular ? Int(status.st_size) : 0
        self.length = min(length, size)
        var failure: CheckpointError?
        if isRegular && flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
            failure = .inUse(path: path)
        } else if size > length {
            // The name may come from a checkpoint, and the checkpoint from anybody.
            if length > 0 || resumes, !Self.isMetrics(path, from: length) {
                failure = .cannotWrite(path: path, reason: "it holds something else than this training's metrics")
            } else if ftruncate(descriptor, off_t(length)) != 0 {
                failure = Self.failure(path)
            }
        }
        if let failure {
            close(descriptor)
            throw failure
        }
    }

    deinit { close(descriptor) }

    /// Keeps others from writing the file, as from the beginning on.
    func lock() throws(CheckpointError) {
        guard !isRegular || flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw .inUse(path: path)
        }
    }

    /// Lets others write the file.
    func unlock() { flock(descriptor, LOCK_UN) }

    /// Whether a file goes on with lines of metrics from some place on.
    private static func isMetrics(_ path: String, from offset: Int) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path), (try? file.seek(toOffset: UInt64(offset))) != nil,
            let beginning = try? file.read(upToCount: 4_096)
        else { return false }
        return MetricsLine.begins(beginning)
    }

    /// Adds a line, and writes it if that is possible now.
    func append(_ line: String) {
        waiting += Array((line + "\n").utf8)
        try? write()
    }

    /// Returns once all lines are on the disk.
    func flush() throws(CheckpointError) {
        if !isRegular && !waiting.isEmpty {
            // A reader that is only slow gets a second.
            var readiness = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            poll(&readiness, 1, 1_000)
        }
        try write()
        guard !isRegular || fsync(descriptor) == 0 else { throw Self.failure(path) }
    }

    private func write() throws(CheckpointError) {
        var done = 0
        while done < waiting.count {
            let count = waiting[done...].withUnsafeBytes {
                isRegular
                    ? pwrite(descriptor, $0.baseAddress, $0.count, off_t(length + done))
                    : Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure(path)
                // Of a pipe that nobody reads, or a device that takes nothing, not more is kept than a reader may want.
                if !isRegular { waiting = Array(waiting[done...].suffix(1 << 20)) }
                throw failure
            }
            done += count
        }
        length += waiting.count
        waiting = []
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
