import CharacterModel
import Glibc

/// A file that a command writes in parts, beside its results.
public final class OutputFile {
    private let path: String
    private let handle: UnsafeMutablePointer<FILE>
    private var failed = false

    /// Creates or empties the file.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        guard let opened = fopen(path, "w") else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        handle = opened
    }

    deinit { fclose(handle) }

    public func write(_ text: String) {
        let bytes = Array(text.utf8)
        if fwrite(bytes, 1, bytes.count, handle) != bytes.count { failed = true }
    }

    /// - Throws: `CheckpointError.cannotWrite` if the file could not be written completely.
    public func finish() throws(CheckpointError) {
        guard fflush(handle) == 0, !failed else {
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
