import Foundation

/// What Linux says can be used without swapping, in bytes; nil where it says nothing.
public func availableMemory() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
        let kilobytes = Double(line.split(separator: " ")[1])
    else { return nil }
    return kilobytes * 1_024
}

/// A path as a shell takes it.
public func quoted(_ path: String) -> String {
    let plain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
    return plain ? path : "'" + path.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
