import FoundationEssentials
import Glibc

/// A file that replaces another one atomically.
///
/// Bytes go to a temporary file in the same folder, which is flushed to disk and renamed over the old one; then the
/// folder is flushed. After a crash, a kill or a full disk, either the old or the new file is there, complete.
package struct AtomicFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let files: any FileSystem
    private let descriptor: Int32
    private var isOpen = true
    /// Bytes written so far.
    private var length = 0

    package init(replacing path: String, on files: any FileSystem = SystemFiles()) throws(CheckpointError) {
        // Replace the target of a symbolic link, not the link.
        let path = linkTarget(path)
        self.path = path
        self.files = files
        // The process id keeps two processes from writing the same file.
        temporary = "\(path).\(getpid()).tmp"
        do { descriptor = try files.create(temporary) } catch {
            throw .cannotCreate(path: path, reason: error.description)
        }
    }

    /// Replaces a file with a text, so that no reader sees half of it. Devices and pipes are written into.
    package static func replace(_ path: String, with text: String) throws(CheckpointError) {
        var figures = stat()
        if stat(path, &figures) == 0, figures.st_mode & S_IFMT != S_IFREG { return try write(text, into: path) }
        var file = try AtomicFile(replacing: path)
        try file.append(Array(text.utf8).span.bytes)
        try file.commit()
    }

    private static func write(_ text: String, into path: String) throws(CheckpointError) {
        guard let file = fopen(path, "w") else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        let bytes = Array(text.utf8)
        let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
        guard fclose(file) == 0, isWritten else {
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Appends bytes.
    mutating func append(_ bytes: RawSpan) throws(CheckpointError) {
        try write(bytes, at: length)
        length += bytes.byteCount
    }

    /// Overwrites the bytes at an offset.
    func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
        try bytes.withUnsafeBytes { buffer throws(CheckpointError) in
            var done = 0
            while done < buffer.count {
                done += try attempt { () throws(SystemError) in
                    try files.write(.init(rebasing: buffer[done...]), to: descriptor, at: offset + done)
                }
            }
        }
    }

    /// Moves the file to its final path, durably.
    ///
    /// - Parameter earlier: files of another training run, which are kept or removed once the new file's bytes are on
    ///   disk.
    mutating func commit(replacing earlier: EarlierFiles = .none) throws(CheckpointError) {
        try attempt { () throws(SystemError) in try files.flush(descriptor) }
        isOpen = false
        do {
            try files.close(descriptor)
            try earlier.keep(on: files)
            if let stale = earlier.stale { try remove(stale) }
            try files.rename(temporary, to: path)
        } catch {
            try? files.remove(temporary)
            throw .cannotWrite(path: path, reason: error.description)
        }
        try attempt { () throws(SystemError) in try files.flushFolder(folder(of: path)) }
    }

    /// Removes a file if it exists.
    private func remove(_ path: String) throws(SystemError) {
        do { try files.remove(path) } catch {
            guard error.code == ENOENT else { throw error }
        }
    }

    private func attempt<Value>(_ call: () throws(SystemError) -> Value) throws(CheckpointError) -> Value {
        do { return try call() } catch { throw .cannotWrite(path: path, reason: error.description) }
    }

    /// Removes temporary files beside a path whose processes no longer exist.
    package static func sweep(beside path: String) {
        let prefix = (path.split(separator: "/", omittingEmptySubsequences: false).last ?? "") + "."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder(of: path))) ?? []
        where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
            guard let process = pid_t(name.dropFirst(prefix.count).dropLast(4)), process > 0 else { continue }
            if kill(process, 0) != 0 && errno == ESRCH { unlink(folder(of: path) + "/" + name) }
        }
    }

    deinit {
        if isOpen {
            try? files.close(descriptor)
            try? files.remove(temporary)
        }
    }
}

/// The size of a file in bytes; nil if there is none.
package func fileSize(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
}

/// The target of a symbolic link; any other path is returned unchanged.
package func linkTarget(_ path: String) -> String {
    let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    return isLink ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
}

/// The folder that contains a path's last component. (Foundation's version traps on one-character paths in Swift 6.3.)
package func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
