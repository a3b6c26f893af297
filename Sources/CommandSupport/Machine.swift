import Glibc

/// The memory that can be used without swapping, in bytes: what Linux reports, or what is left of the limits of this
/// process's control groups (as in containers), whichever is less; nil if neither is known.
///
/// - Parameter root: the folder that contains `/proc` and `/sys`.
public func availableMemory(root: String = "") -> Double? {
    ([machineMemory(root: root)] + groupMemory(root: root)).compactMap(\.self).min()
}

private func machineMemory(root: String) -> Double? {
    guard let text = try? String(contentsOfFile: root + "/proc/meminfo", encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
        let kilobytes = Double(line.split(separator: " ")[1])
    else { return nil }
    return kilobytes * 1_024
}

/// What is left of the limits of the control groups above a process, in cgroup versions 2 and 1.
private func groupMemory(root: String) -> [Double?] {
    let lines = (try? String(contentsOfFile: root + "/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.flatMap { line -> [Double?] in
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { return [] }
        let isSecond = fields[1].isEmpty
        guard isSecond || fields[1].split(separator: ",").contains("memory") else { return [] }
        let (mount, limit, usage) =
            isSecond
            ? ("/sys/fs/cgroup", "memory.max", "memory.current")
            : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        return folders(String(fields[2])).map { folder in
            func read(_ name: String) -> Double? {
                let text = try? String(contentsOfFile: root + mount + folder + "/" + name, encoding: .utf8)
                return text.flatMap { Double($0.split(whereSeparator: \.isWhitespace).first ?? "") }
            }
            // Inactive pages of files count as used, but the system frees them when memory is needed.
            let key = isSecond ? "inactive_file " : "total_inactive_file "
            let statistics = try? String(contentsOfFile: root + mount + folder + "/memory.stat", encoding: .utf8)
            let line = statistics?.split(separator: "\n").first { $0.hasPrefix(key) }
            let reclaimable = line.flatMap { Double($0.dropFirst(key.count)) } ?? 0
            return read(limit).map { max(0, $0 - max(0, (read(usage) ?? 0) - reclaimable)) }
        }
    }
}

/// A group's folder and all above it: `/a/b`, `/a`, and the root.
private func folders(_ path: String) -> [String] {
    let parts = path.split(separator: "/")
    return (0...parts.count).map { parts.prefix($0).map { "/" + $0 }.joined() }
}

/// A path, quoted for a shell.
public func quoted(_ path: String) -> String {
    let plain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
    // By code points: a quote with an accent on it is still a quote to the shell.
    let scalars = path.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }
    return plain && !path.isEmpty ? path : "'" + scalars.joined() + "'"
}
