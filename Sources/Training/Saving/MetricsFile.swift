import CharacterModel
import FoundationEssentials
import Glibc
import Tokenization

/// The metrics of a training run, one JSON object per line, each written as soon as it is known.
///
/// Lines that cannot be written (because the disk is full, for example) are retried later.
final class MetricsFile {
    /// What to do with the file's existing content. A file that does not hold metrics is never touched.
    enum Beginning {
        /// It belongs to another training run and is renamed; nil: it is discarded.
        case anew(keptAs: String?)
        /// It belongs to this training run: `length` bytes are its lines, and the hash of the first line is known
        /// except in checkpoints of earlier versions. Anything after that is dropped: lines of steps that the resumed
        /// run repeats.
        case own(length: Int, firstLine: String?)
        /// The same if the first line matches; otherwise lines are appended to the file.
        case added(length: Int, firstLine: String?)
        /// ``beginAnew(keptAs:)`` is called later.
        case later
    }

    let path: String
    private var descriptor: Int32
    /// False for a pipe or a terminal, which has no length and must not block.
    private let isRegular: Bool
    /// Bytes of whole lines written so far.
    private(set) var length = 0
    /// The hash of the first line, by which a training run recognizes its metrics.
    private(set) var firstLine: String?
    /// Where another training run's metrics were moved.
    private(set) var kept: String?
    private var waiting: [UInt8] = []
    /// Lines that are not written yet.
    var waitingLines: String? { waiting.isEmpty ? nil : String(decoding: waiting, as: UTF8.self) }

    /// Opens and locks the file.
    ///
    /// A pipe must have a reader; opening one never blocks.
    init(path: String, _ beginning: Beginning) throws(CheckpointError) {
        self.path = path
        (descriptor, isRegular) = try Self.opened(path)
        guard isRegular else { return }
        guard size == 0 || MetricsLine.begins(Data(Self.bytes(of: path, from: 0))) else {
            throw .cannotWrite(path: path, reason: "it does not hold metrics")
        }
        switch beginning {
        case .anew(let name): try beginAnew(keptAs: name)
        case .own(let length, let firstLine): try goOn(from: length, firstLine, adds: false)
        case .added(let length, let firstLine): try goOn(from: length, firstLine, adds: true)
        case .later: break
        }
    }

    deinit { close(descriptor) }

    private static func opened(_ path: String) throws(CheckpointError) -> (descriptor: Int32, isRegular: Bool) {
        while true {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else {
                throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
            }
            var (status, named) = (stat(), stat())
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                return (descriptor, false)
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
                close(descriptor)
                throw .inUse(path: path)
            }
            // Another training run may have renamed the file in the meantime.
            if stat(path, &named) == 0 && named.st_ino == status.st_ino && named.st_dev == status.st_dev {
                return (descriptor, true)
            }
            close(descriptor)
        }
    }

    private var size: Int {
        var status = stat()
        return isRegular && fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Starts the file of a new training run.
    ///
    /// - Parameter name: the new name of another training run's metrics; nil to discard them.
    func beginAnew(keptAs name: String?) throws(CheckpointError) {
        (length, firstLine, waiting) = (0, nil, [])
        guard size > 0 else { return }
        guard let name else { return try cut(to: 0) }
        guard rename(linkTarget(path), name) == 0 else { throw Self.failure(path) }
        kept = name
        let fresh = try Self.opened(path)
        close(descriptor)
        descriptor = fresh.descriptor
    }

    private func goOn(from length: Int, _ firstLine: String?, adds: Bool) throws(CheckpointError) {
        let found = Self.firstLine(of: path)
        self.firstLine = found
        // Another file is this run's only if its first line says so.
        let isKnown = firstLine == nil ? !adds : firstLine == found
        if size > 0, length == 0 || !isKnown {
            guard adds else { throw .cannotWrite(path: path, reason: "it holds the metrics of another training run") }
            self.length = size
            return
        }
        self.length = min(length, size)
        guard size > length else { return }
        guard MetricsLine.begins(Data(Self.bytes(of: path, from: length))) else {
            throw .cannotWrite(path: path, reason: "it holds something other than the metrics of this training run")
        }
        try cut(to: length)
    }

    private func cut(to length: Int) throws(CheckpointError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Self.failure(path) }
    }

    /// Finds the metrics with the given first line: at the path or at one of its numbered names; the path itself if not
    /// found.
    static func find(_ path: String, firstLine: String?) -> String {
        guard let firstLine, Self.firstLine(of: path) != firstLine else { return path }
        let names = (1..<100).lazy.map { EarlierFiles.numbered(linkTarget(path), $0) }
        return names.first { Self.firstLine(of: $0) == firstLine } ?? path
    }

    /// The first bytes of a file from an offset.
    private static func bytes(of path: String, from offset: Int) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let got = pread(file, &bytes, bytes.count, off_t(offset))
        return Array(bytes.prefix(max(0, got)))
    }

    /// The hash of a file's first line; nil if there is none.
    private static func firstLine(of path: String) -> String? { hash(ofFirstLine: bytes(of: path, from: 0)) }

    private static func hash(ofFirstLine bytes: [UInt8]) -> String? {
        bytes.firstIndex(of: UInt8(ascii: "\n")).map { SHA256.hash(of: Array(bytes[..<$0])) }
    }

    /// Locks the file again.
    func lock() throws(CheckpointError) {
        guard !isRegular || flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw .inUse(path: path)
        }
    }

    /// Unlocks the file.
    func unlock() { flock(descriptor, LOCK_UN) }

    /// Adds a line, and tries to write it now.
    func append(_ line: String) {
        waiting += Array((line + "\n").utf8)
        try? write()
    }

    /// Adds lines that were written elsewhere, and returns once they are on disk.
    func append(linesOf data: Data) throws(CheckpointError) {
        waiting += data
        try flush()
    }

    /// Returns once all lines are on disk.
    func flush() throws(CheckpointError) {
        if !isRegular && !waiting.isEmpty {
            // Give a slow reader one second.
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
                    : Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure(path)
                // If a pipe or device accepts nothing, keep only the last megabyte.
                if !isRegular { waiting = Array(waiting[done...].suffix(1 << 20)) }
                throw failure
            }
            done += count
        }
        if firstLine == nil && length == 0 { firstLine = Self.hash(ofFirstLine: waiting) }
        length += waiting.count
        waiting = []
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
