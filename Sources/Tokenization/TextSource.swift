import Foundation

/// Where a text comes from.
public enum TextSource: Sendable, Equatable {
    case file(path: String)
    case standardInput
    /// Text that is already in memory, and what to call it.
    case bytes([UInt8], name: String)

    /// The name for messages and reports.
    public var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "standard input"
        case .bytes(_, let name): name
        }
    }

    /// The texts that arguments name: files, the files of folders (recursively, hidden ones left out, in the order of
    /// their paths' bytes), and `-` for the standard input.
    public static func sources(at arguments: [String]) throws(TextError) -> [TextSource] {
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
                sources += try files(in: argument).map { .file(path: $0) }
            } else {
                sources.append(.file(path: argument))
            }
        }
        return sources
    }

    private static func files(in folder: String) throws(TextError) -> [String] {
        var failure: TextError?
        let enumerator = FileManager.default.enumerator(
            at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil, options: [.skipsHiddenFiles]
        ) { url, _ in
            failure = .unreadable(path: url.path, reason: "it cannot be listed")
            return false
        }
        var paths: [String] = []
        while let url = enumerator?.nextObject() as? URL {
            // Links to files are followed; folders come by themselves, and pipes and devices have no end.
            var status = stat()
            if stat(url.path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG { paths.append(url.path) }
        }
        if let failure { throw failure }
        guard !paths.isEmpty else { throw .emptyFolder(path: folder) }
        return paths.sorted { Symbol(bytes: Array($0.utf8)) < Symbol(bytes: Array($1.utf8)) }
    }
}
