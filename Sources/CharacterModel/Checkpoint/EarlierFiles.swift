import FoundationEssentials
import Glibc

/// The files of an earlier training run at the output paths of a new one, and what to do with them when the new one has
/// something to write.
package struct EarlierFiles: Sendable {
    /// The files, and the names they are kept under; empty if they are discarded.
    package let kept: [(path: String, name: String)]
    /// A file of the other training run, which must not remain beside the new one.
    package let stale: String?

    /// - Parameters:
    ///   - paths: the files of the earlier training run; some may be missing.
    ///   - number: the number in their new names; nil to discard them.
    package init(_ paths: [String], number: Int?, stale: String?) {
        let paths = paths.map(linkTarget)
        kept = number.map { number in paths.map { ($0, Self.numbered($0, number)) } } ?? []
        self.stale = stale
    }

    package static let none = EarlierFiles([], number: nil, stale: nil)

    /// `NAME.1.safetensors` for `NAME.safetensors`, `NAME.1.last.safetensors` for `NAME.last.safetensors`,
    /// `NAME.1.jsonl` for `NAME.jsonl`. The target of a symbolic link is kept in the target's folder.
    package static func numbered(_ path: String, _ number: Int) -> String {
        for suffix in [".last.safetensors", ".safetensors", ".jsonl"] where path.hasSuffix(suffix) {
            return "\(path.dropLast(suffix.count)).\(number)\(suffix)"
        }
        return "\(path).\(number)"
    }

    /// The first number whose names are free or already belong to these files; nil if none of the files exists.
    ///
    /// - Parameter first: the lowest number to try.
    /// - Throws: `CheckpointError.tooMany` if there are a hundred.
    package static func number(for paths: [String], from first: Int = 1) throws(CheckpointError) -> Int? {
        func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        let paths = paths.map(linkTarget)
        guard paths.contains(where: isThere) else { return nil }
        /// Whether a name is free. It also is if an earlier attempt gave it to this file.
        func isFree(_ name: String, for path: String) -> Bool {
            var (there, own) = (stat(), stat())
            guard stat(name, &there) == 0 else { return true }
            return stat(path, &own) == 0 && there.st_ino == own.st_ino && there.st_dev == own.st_dev
        }
        let number = (first..<100).first { number in paths.allSatisfy { isFree(numbered($0, number), for: $0) } }
        guard let number else { throw .tooMany(path: paths[0]) }
        return number
    }

    /// Links the files to their new names, so that each file has a name at all times. On file systems without hard
    /// links they are moved, the last one first.
    package func keep(on files: any FileSystem) throws(SystemError) {
        for (path, name) in kept.reversed() {
            do { try files.link(path, to: name) } catch {
                // The file is missing, or an earlier attempt kept it.
                if error.code == ENOENT || error.code == EEXIST { continue }
                try files.rename(path, to: name)
            }
        }
    }
}
