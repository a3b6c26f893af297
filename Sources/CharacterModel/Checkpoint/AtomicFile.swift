import Foundation
import Tokenization

/// A file that replaces another whole or not at all.
///
/// Bytes go to a sibling temporary file, which is flushed to the disk and renamed over the old one; then the folder is
/// flushed. A crash, a kill or a full disk leaves the old file or the new one.
struct AtomicFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isOpen = true

    init(replacing path: String) throws(CheckpointError) {
        self.path = path
        // The process's number keeps two processes from writing one file.
        temporary = "\(path).\(getpid()).tmp"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Appends bytes, or overwrites them where `offset` is given.
    func write(_ bytes: RawSpan, at offset: Int? = nil) throws(CheckpointError) {
        try bytes.withUnsafeBytes { buffer throws(CheckpointError) in
            var done = 0
            while done < buffer.count {
                let (start, left) = (buffer.baseAddress! + done, buffer.count - done)
                let count =
                    offset.map { pwrite(descriptor, start, left, $0 + done) }
                    ?? Foundation.write(descriptor, start, left)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw Self.failure(path) }
                done += count
            }
        }
    }

    /// Puts the file in its place, durably.
    ///
    /// - Parameter stale: a file that must not stand beside the new one; removed once the new one is on the disk.
    mutating func commit(removing stale: String? = nil) throws(CheckpointError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        if let stale { unlink(stale) }
        isOpen = false
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let failure = Self.failure(path)
            unlink(temporary)
            throw failure
        }
        let descriptor = open(folder(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
    }

    /// Removes what killed processes left beside a path: temporary files whose process is gone.
    static func sweep(beside path: String) {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        sweepTemporaryFiles(in: folder(of: path)) { $0 == name }
    }

    deinit {
        if isOpen {
            close(descriptor)
            unlink(temporary)
        }
    }

    private static func failure(_ path: String) -> CheckpointError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
}

/// The folder that a path's last component stands in. (Foundation's own traps on a path of one character: Swift 6.3.)
func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
