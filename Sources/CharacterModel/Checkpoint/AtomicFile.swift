import Foundation

/// A file that replaces another whole or not at all.
///
/// Bytes go to a sibling temporary file, which is flushed to the disk and renamed over the old one; then the folder is
/// flushed. A crash, a kill or a full disk leaves the old file or the new one.
package struct AtomicFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let files: any FileSystem
    private let descriptor: Int32
    private var isOpen = true
    /// Bytes written so far.
    private var length = 0

    package init(replacing path: String, on files: any FileSystem = SystemFiles()) throws(CheckpointError) {
        // What a link names is replaced, not the link.
        let path = linkTarget(path)
        self.path = path
        self.files = files
        // The process's number keeps two processes from writing one file.
        temporary = "\(path).\(getpid()).tmp"
        do { descriptor = try files.create(temporary) } catch {
            throw .cannotCreate(path: path, reason: error.description)
        }
    }

    /// Appends bytes.
    mutating func append(_ bytes: RawSpan) throws(CheckpointError) {
        try write(bytes, at: length)
        length += bytes.byteCount
    }

    /// Writes bytes over those at an offset.
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

    /// Puts the file in its place, durably.
    ///
    /// - Parameter earlier: files of another training, which are kept or removed once the new one's bytes are on the disk.
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

    /// Removes a file that need not be there.
    private func remove(_ path: String) throws(SystemError) {
        do { try files.remove(path) } catch {
            guard error.code == ENOENT else { throw error }
        }
    }

    private func attempt<Value>(_ call: () throws(SystemError) -> Value) throws(CheckpointError) -> Value {
        do { return try call() } catch { throw .cannotWrite(path: path, reason: error.description) }
    }

    /// Removes what killed processes left beside a path: temporary files whose process is gone.
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

/// What a symbolic link names; a path that is none stays as it is.
package func linkTarget(_ path: String) -> String {
    let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    return isLink ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
}

/// The folder that a path's last component stands in. (Foundation's own traps on a path of one character: Swift 6.3.)
package func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
