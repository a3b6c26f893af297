import Foundation

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
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
                throw .missing(path: argument)
            }
            if isFolder.boolValue {
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
        var failure: TextError?
        let enumerator = FileManager.default.enumerator(
            at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil, options: []
        ) { url, _ in
            failure = .unreadable(path: url.path, reason: "it cannot be listed")
            return false
        }
        var paths: [String] = []
        while let url = enumerator?.nextObject() as? URL {
            if url.lastPathComponent.hasPrefix(".") {
                skip(url.path, "hidden")
                enumerator?.skipDescendants()
                continue
            }
            // Links to files are followed. Folders are enumerated separately; pipes and devices have no end.
            var status = stat()
            guard stat(url.path, &status) == 0 else {
                skip(url.path, "a broken link")
                continue
            }
            guard status.st_mode & S_IFMT != S_IFDIR || url.isLink else { continue }
            guard status.st_mode & S_IFMT == S_IFREG else {
                skip(url.path, "not a file")
                continue
            }
            if isBinary(url.path) { skip(url.path, "binary") } else { paths.append(url.path) }
        }
        if let failure { throw failure }
        guard !paths.isEmpty else { throw .emptyFolder(path: folder) }
        return paths.sorted { Symbol(bytes: Array($0.utf8)) < Symbol(bytes: Array($1.utf8)) }
    }

    /// Whether a file's beginning contains NUL and is not UTF-16 or UTF-32. Unreadable files are reported later, on
    /// reading.
    private static func isBinary(_ path: String) -> Bool {
        guard let bytes = try? ByteSource(.file(path: path)) else { return false }
        var beginning = [UInt8](repeating: 0, count: 8_192)
        let count = beginning.withUnsafeMutableBytes { try? bytes.read(into: $0) } ?? 0
        return beginning[..<count].withUnsafeBufferPointer { CharsetDecoder.isBinary($0) }
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

extension URL {
    fileprivate var isLink: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
