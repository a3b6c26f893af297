import CharacterModel
import Foundation
import Tokenization

/// The metrics of a training, one JSON object a line, each written as soon as it is known.
///
/// Lines that cannot be written (the disk is full, say) wait for the next attempt.
final class MetricsFile {
    /// What becomes of what the file holds already.
    enum Beginning {
        /// A new training's: metrics of an earlier one are kept under a numbered name, or given up. What is something else is left
        /// alone.
        case anew(overwrites: Bool)
        /// A resumed training's own: so many bytes are its lines, of which the first has a hash, if it is known. What lies beyond
        /// is dropped: lines of steps that the resumed run does again.
        case resumed(length: Int, firstLine: String?)
        /// Lines are added to it.
        case added
        /// It is ``beginAnew(overwrites:)`` that begins it, later.
        case later
    }

    private let path: String
    private var descriptor: Int32
    /// A pipe or a terminal has no length, and is not waited for.
    private let isRegular: Bool
    /// Bytes of whole lines written so far.
    private(set) var length = 0
    /// The hash of the first line, by which a training knows its metrics again.
    private(set) var firstLine: String?
    /// Where an earlier training's metrics are kept.
    private(set) var kept: String?
    private var waiting: [UInt8] = []
    /// Lines that are not written yet.
    var waitingLines: String? { waiting.isEmpty ? nil : String(decoding: waiting, as: UTF8.self) }

    /// Opens and locks the file.
    ///
    /// A pipe must have a reader, and is never waited for.
    init(path: String, _ beginning: Beginning) throws(CheckpointError) {
        self.path = path
        (descriptor, isRegular) = try Self.opened(path)
        guard isRegular else { return }
        do {
            switch beginning {
            case .anew(let overwrites): try beginAnew(overwrites: overwrites)
            case .resumed(let length, let firstLine): try goOn(from: length, firstLine)
            case .added: length = size
            case .later: try checkIsReplaceable()
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func opened(_ path: String) throws(CheckpointError) -> (descriptor: Int32, isRegular: Bool) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        if isRegular && flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
            close(descriptor)
            throw .inUse(path: path)
        }
        return (descriptor, isRegular)
    }

    private var size: Int {
        var status = stat()
        return isRegular && fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Begins the file of a new training.
    func beginAnew(overwrites: Bool) throws(CheckpointError) {
        (length, firstLine, waiting) = (0, nil, [])
        try checkIsReplaceable()
        guard size > 0 else { return }
        if overwrites { return try cut(to: 0) }
        let target = linkTarget(path)
        let names = (1..<100).lazy.map { EarlierFiles.numbered(target, $0) }
        guard let name = names.first(where: { !FileManager.default.fileExists(atPath: $0) }) else {
            throw .tooMany(path: target)
        }
        guard rename(target, name) == 0 else { throw Self.failure(path) }
        kept = name
        close(descriptor)
        (descriptor, _) = try Self.opened(path)
    }

    private func checkIsReplaceable() throws(CheckpointError) {
        guard size == 0 || isMetrics(from: 0) else {
            throw .cannotWrite(path: path, reason: "it holds something else than metrics")
        }
    }

    private func goOn(from length: Int, _ firstLine: String?) throws(CheckpointError) {
        self.length = min(length, size)
        let found = self.length > 0 ? Self.firstLine(of: bytes(from: 0)) : nil
        // The name may come from a checkpoint, and the checkpoint from anybody.
        if let firstLine, let found, firstLine != found, isMetrics(from: 0) {
            throw .cannotWrite(path: path, reason: "it holds another training's metrics")
        }
        guard size <= length || isMetrics(from: length), firstLine == nil || found == nil || firstLine == found else {
            throw .cannotWrite(path: path, reason: "it holds something else than this training's metrics")
        }
        self.firstLine = found
        if size > length { try cut(to: length) }
    }

    private func cut(to length: Int) throws(CheckpointError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Self.failure(path) }
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

    /// Whether the file goes on with lines of metrics from some place on.
    private func isMetrics(from offset: Int) -> Bool { MetricsLine.begins(Data(bytes(from: offset))) }

    /// The file's first bytes from some place on.
    private func bytes(from offset: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let got = pread(descriptor, &bytes, bytes.count, off_t(offset))
        return Array(bytes.prefix(max(0, got)))
    }

    /// The hash of the first line; nil if there is none.
    private static func firstLine(of bytes: [UInt8]) -> String? {
        bytes.firstIndex(of: UInt8(ascii: "\n")).map { SHA256.hash(of: Array(bytes[..<$0])) }
    }

    /// Adds a line, and writes it if that is possible now.
    func append(_ line: String) {
        waiting += Array((line + "\n").utf8)
        try? write()
    }

    /// Adds lines that were written elsewhere, and returns once they are on the disk.
    func append(linesOf data: Data) throws(CheckpointError) {
        waiting += data
        try flush()
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
        if firstLine == nil && length == 0 { firstLine = Self.firstLine(of: waiting) }
        length += waiting.count
        waiting = []
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
