import Foundation

/// The files of an earlier training that stand where a new one writes: what becomes of them when it has something to put there.
package struct EarlierFiles: Sendable {
    /// Files, and the names that they are kept under; none where they are given up.
    package let kept: [(path: String, name: String)]
    /// A file that must not stand beside the new one: it is of the other training.
    package let stale: String?

    /// - Parameters:
    ///   - paths: the earlier training's files, of which some may be missing.
    ///   - number: of their new names; nil to give them up.
    package init(_ paths: [String], number: Int?, stale: String?) {
        let paths = paths.map(linkTarget)
        kept = number.map { number in paths.map { ($0, Self.numbered($0, number)) } } ?? []
        self.stale = stale
    }

    package static let none = EarlierFiles([], number: nil, stale: nil)

    /// `NAME.1.safetensors` for `NAME.safetensors`, `NAME.1.last.safetensors` for `NAME.last.safetensors`, `NAME.1.jsonl` for
    /// `NAME.jsonl`. What a link names is kept beside what it names.
    package static func numbered(_ path: String, _ number: Int) -> String {
        for suffix in [".last.safetensors", ".safetensors", ".jsonl"] where path.hasSuffix(suffix) {
            return "\(path.dropLast(suffix.count)).\(number)\(suffix)"
        }
        return "\(path).\(number)"
    }

    /// The first number whose names are free, or are the files' own already; nil where no file is there.
    ///
    /// - Parameter first: the least.
    /// - Throws: `CheckpointError.tooMany` if there are a hundred.
    package static func number(for paths: [String], from first: Int = 1) throws(CheckpointError) -> Int? {
        func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        let paths = paths.map(linkTarget)
        guard paths.contains(where: isThere) else { return nil }
        /// Whether a name is free: an earlier attempt may have given it to the file.
        func isFree(_ name: String, for path: String) -> Bool {
            var (there, own) = (stat(), stat())
            guard stat(name, &there) == 0 else { return true }
            return stat(path, &own) == 0 && there.st_ino == own.st_ino && there.st_dev == own.st_dev
        }
        let number = (first..<100).first { number in paths.allSatisfy { isFree(numbered($0, number), for: $0) } }
        guard let number else { throw .tooMany(path: paths[0]) }
        return number
    }

    /// Gives the files their new names beside their old ones, so that they have a name at every moment. Where the file system has
    /// no second names they are moved, the last one first.
    package func keep(on files: any FileSystem) throws(SystemError) {
        for (path, name) in kept.reversed() {
            do { try files.link(path, to: name) } catch {
                // One that is missing, and one that an earlier attempt kept.
                if error.code == ENOENT || error.code == EEXIST { continue }
                try files.rename(path, to: name)
            }
        }
    }
}
