import Glibc

/// Keeps two training runs from writing the same output: a lock on a separate file beside it, released when the process
/// dies.
package final class OutputLock: Sendable {
    private let path: String
    private let descriptor: Int32

    /// - Throws: `CheckpointError.inUse` if another process holds it. It is not an error if the file system has no
    ///   locks.
    package init(of output: String) throws(CheckpointError) {
        path = output + ".lock"
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw .cannotCreate(path: output, reason: String(cString: strerror(errno)))
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
                close(descriptor)
                throw .inUse(path: output)
            }
            // The previous holder may have removed the file in the meantime. Then this lock is useless.
            var (held, found) = (stat(), stat())
            if fstat(descriptor, &held) == 0, stat(path, &found) == 0, held.st_ino == found.st_ino {
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        unlink(path)
        close(descriptor)
    }
}
