import FoundationEssentials
import Glibc

/// What a stream's terminal can show.
public struct Terminal: Sendable {
    /// Whether the stream is a terminal that can move its cursor.
    public let isInteractive: Bool
    /// Whether colours may be used: not where `NO_COLOR` is set (https://no-color.org).
    public let isColored: Bool
    private let descriptor: Int32

    public static let output = Terminal(1)
    public static let error = Terminal(2)

    private init(_ descriptor: Int32) {
        let environment = ProcessInfo.processInfo.environment
        self.descriptor = descriptor
        isInteractive = isatty(descriptor) != 0 && environment["TERM"] != "dumb"
        isColored = isInteractive && environment["NO_COLOR", default: ""].isEmpty
    }

    /// In columns; 80 where it is not known.
    public var width: Int {
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }
}
