import FoundationEssentials
import Glibc

/// Where a text comes from.
public enum TextSource: Sendable, Equatable {
    case file(path: String)
    case standardInput
    /// Text that is already in memory, and its name.
    case bytes([UInt8], name: String)

    /// A text in memory.
    public static func text(_ text: String, name: String = "text") -> TextSource {
        .bytes(Array(text.utf8), name: name)
    }

    /// The name for messages and reports.
    public var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "standard input"
        case .bytes(_, let name): name
        }
    }

    /// The texts named by arguments: files, the files in folders (recursively, sorted by the bytes of their paths,
    /// without hidden and binary files), and `-` for the standard input.
    ///
    /// - Parameters:
    ///   - arguments: paths, or `-`.
    ///   - skip: called with each file or folder in a folder that is skipped.
    public static func sources(
        at arguments: [String], skip: (_ path: String, _ reason: String) -> Void = { _, _ in }
    ) throws(TextError) -> [TextSource] {
        var sources: [TextSource] = []
        for argument in arguments {
            if argument == "-" {
                sources.append(.standardInput)
                continue
            }
            var isFolder = false
            guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
                throw .missing(path: argument)
            }
            if isFolder {
                sources += try files(in: argument, skip).map { .file(path: $0) }
            } else {
                sources.append(.file(path: argument))
            }
        }
        return sources
    }

    private static func files(
        in folder: String, _ skip: (String, String) -> Void
    ) throws(TextError) -> [String] {
        var folders = [URL(fileURLWithPath: folder).path]
        var paths: [String] = []
        while let folder = folders.popLast() {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
                throw .unreadable(path: folder, reason: "it cannot be listed")
            }
            for name in names.sorted() {
                let path = folder + "/" + name
                switch Entry(named: name, at: path) {
                case .folder: folders.append(path)
                case .file: paths.append(path)
                case .skipped(let reason): skip(path, reason)
                }
            }
        }
        guard !paths.isEmpty else { throw .emptyFolder(path: folder) }
        return paths.sorted { Symbol(bytes: Array($0.utf8)) < Symbol(bytes: Array($1.utf8)) }
    }

    /// Whether it is a file that can be read again.
    var canBeReadTwice: Bool {
        switch self {
        case .bytes: return true
        case .standardInput: return false
        case .file(let path):
            var status = stat()
            // A missing file is reported later, on reading.
            return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        }
    }
}

/// What a folder holds under a name.
private enum Entry {
    case folder
    case file
    case skipped(reason: String)

    init(named name: String, at path: String) {
        guard !name.hasPrefix(".") else {
            self = .skipped(reason: "hidden")
            return
        }
        var status = stat()
        if lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR {
            self = .folder
            return
        }
        // Links to files are followed, and no others; pipes and devices have no end.
        guard stat(path, &status) == 0 else {
            self = .skipped(reason: "a broken link")
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            self = .skipped(reason: "not a file")
            return
        }
        self = Self.isBinary(path) ? .skipped(reason: "binary") : .file
    }

    /// Whether a file's beginning contains NUL and is not UTF-16 or UTF-32. Unreadable files are reported later, on
    /// reading.
    private static func isBinary(_ path: String) -> Bool {
        guard let bytes = try? ByteSource(.file(path: path)) else { return false }
        var beginning = [UInt8](repeating: 0, count: 8_192)
        let count = beginning.withUnsafeMutableBytes { try? bytes.read(into: $0) } ?? 0
        return beginning[..<count].withUnsafeBufferPointer { CharsetDecoder.isBinary($0) }
    }
}
