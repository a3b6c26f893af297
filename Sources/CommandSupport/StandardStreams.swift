import Cluster
import Glibc
import Synchronization

/// Whether a launcher started this process as a rank other than 0, which prints nothing.
package let isFollower = Launcher.current.map { $0.rank > 0 } ?? false

/// Why the standard output cannot be written.
public enum OutputError: Error {
    /// The reader closed the pipe.
    case closed
    case failed(reason: String)
}

/// The stream for results. Not buffered, so that a reader sees text as it is generated.
public enum StandardOutput {
    public static func write(_ text: String) throws(OutputError) {
        if isFollower { return }
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw errno == EPIPE ? .closed : .failed(reason: String(cString: strerror(errno)))
            }
            done += count
        }
    }
}

/// The stream for everything else.
public enum StandardError {
    static let isMuted = Atomic(isFollower)

    public static func write(_ text: String) {
        if isMuted.load(ordering: .relaxed) { return }
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    public static func print(_ line: String) { write(line + "\n") }

    public static let isTerminal = isatty(2) != 0
}
