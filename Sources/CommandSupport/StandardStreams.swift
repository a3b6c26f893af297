import Glibc

/// Why the standard output cannot be written.
public enum OutputError: Error {
    /// The reader closed the pipe.
    case closed
    case failed(reason: String)
}

/// The stream for results. Not buffered, so that a reader sees text as it is generated.
public enum StandardOutput {
    public static func write(_ text: String) throws(OutputError) {
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
    public static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    public static func print(_ line: String) { write(line + "\n") }

    public static let isTerminal = isatty(2) != 0
}
