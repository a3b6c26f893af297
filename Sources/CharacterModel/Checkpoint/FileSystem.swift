import Glibc

/// The system calls used to write files. Tests substitute a disk that fails.
package protocol FileSystem: Sendable {
    /// Creates or truncates a file, and opens it for writing.
    func create(_ path: String) throws(SystemError) -> Int32
    /// Returns how many bytes were written, at least one.
    func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int) throws(SystemError) -> Int
    /// Returns once the file's bytes are on disk.
    func flush(_ descriptor: Int32) throws(SystemError)
    func close(_ descriptor: Int32) throws(SystemError)
    func rename(_ path: String, to destination: String) throws(SystemError)
    /// Creates a hard link to a file.
    func link(_ path: String, to other: String) throws(SystemError)
    func remove(_ path: String) throws(SystemError)
    /// Returns once the entries of a folder are on disk.
    func flushFolder(_ path: String) throws(SystemError)
}

/// A system call's error.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let code: Int32

    package init(code: Int32) { self.code = code }

    package var description: String { String(cString: strerror(code)) }
}

/// The real file system. Interrupted calls are retried.
package struct SystemFiles: FileSystem {
    package init() {}

    package func create(_ path: String) throws(SystemError) -> Int32 {
        Int32(try checked { Int(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)) })
    }

    package func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int
    ) throws(SystemError) -> Int {
        let count = try checked { pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
        // Writing no bytes without an error means the disk is full.
        guard count > 0 else { throw SystemError(code: ENOSPC) }
        return count
    }

    package func flush(_ descriptor: Int32) throws(SystemError) { try checked { Int(fsync(descriptor)) } }

    /// Not retried if interrupted: on Linux the file is closed anyway.
    package func close(_ descriptor: Int32) throws(SystemError) {
        guard Glibc.close(descriptor) == 0 || errno == EINTR else { throw SystemError(code: errno) }
    }

    package func rename(_ path: String, to destination: String) throws(SystemError) {
        try checked { Int(Glibc.rename(path, destination)) }
    }

    package func link(_ path: String, to other: String) throws(SystemError) {
        try checked { Int(Glibc.link(path, other)) }
    }

    package func remove(_ path: String) throws(SystemError) { try checked { Int(unlink(path)) } }

    package func flushFolder(_ path: String) throws(SystemError) {
        let descriptor = Int32(try checked { Int(open(path, O_RDONLY | O_CLOEXEC)) })
        defer { _ = Glibc.close(descriptor) }
        try flush(descriptor)
    }

    @discardableResult
    private func checked(_ call: () -> Int) throws(SystemError) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            guard errno == EINTR else { throw SystemError(code: errno) }
        }
    }
}
