import CharacterModel
import Foundation
import Tokenization

/// The metrics of a training, one JSON object a line, each written as soon as it is known.
///
/// Lines that cannot be written (the disk is full, say) wait for the next attempt.
final class MetricsFile {
    /// What becomes of what the file holds already. What is no metrics is never touched.
    enum Beginning {
        /// It is another training's, and moves to a name; nil: it is given up.
        case anew(keptAs: String?)
        /// It is this training's: so many bytes are its lines, and the hash of the first one is known but in checkpoints of earlier
        /// versions. What lies beyond is dropped: lines of steps that the resumed run does again.
        case own(length: Int, firstLine: String?)
        /// The same where the first line is that one; else lines are added to it.
        case added(length: Int, firstLine: String?)
        /// It is ``beginAnew(keptAs:)`` that begins it, later.
        case later
    }

    let path: String
    private var descriptor: Int32
    /// A pipe or a terminal has no length, and is not waited for.
    private let isRegular: Bool
    /// Bytes of whole lines written so far.
    private(set) var length = 0
    /// The hash of the first line, by which a training knows its metrics again.
    private(set) var firstLine: String?
    /// Where another training's metrics are kept.
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
        guard size == 0 || MetricsLine.begins(Data(Self.bytes(of: path, from: 0))) else {
            throw .cannotWrite(path: path, reason: "it holds something else than metrics")
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
            // Another training may have given the file another name in between.
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

    /// Begins the file of a new training.
    ///
    /// - Parameter name: what another training's metrics are kept as; nil if they are given up.
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
        if size > 0, length == 0 || firstLine != nil && firstLine != found {
            guard adds else { throw .cannotWrite(path: path, reason: "it holds another training's metrics") }
            self.length = size
            return
        }
        self.length = min(length, size)
        guard size > length else { return }
        guard MetricsLine.begins(Data(Self.bytes(of: path, from: length))) else {
            throw .cannotWrite(path: path, reason: "it holds something else than this training's metrics")
        }
        try cut(to: length)
    }

    private func cut(to length: Int) throws(CheckpointError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Self.failure(path) }
    }

    /// Where metrics that begin with a line are: at a path, or under a name that they were kept as; the path if nowhere.
    static func find(_ path: String, firstLine: String?) -> String {
        guard let firstLine, Self.firstLine(of: path) != firstLine else { return path }
        let names = (1..<100).lazy.map { EarlierFiles.numbered(linkTarget(path), $0) }
        return names.first { Self.firstLine(of: $0) == firstLine } ?? path
    }

    /// The first bytes of a file from some place on.
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

    /// Keeps others from writing the file, as from the beginning on.
    func lock() throws(CheckpointError) {
        guard !isRegular || flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw .inUse(path: path)
        }
    }

    /// Lets others write the file.
    func unlock() { flock(descriptor, LOCK_UN) }

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
        if firstLine == nil && length == 0 { firstLine = Self.hash(ofFirstLine: waiting) }
        length += waiting.count
        waiting = []
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}
