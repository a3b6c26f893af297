import Completions

/// Where and for whom a server listens.
public struct ServerOptions: Sendable {
    public var host = "127.0.0.1"
    /// 0: any free one.
    public var port = 8080
    /// Without it, only this machine may ask.
    public var apiKey: [UInt8]?
    /// Further names under which the server may be asked, such as that of a proxy.
    public var names: [String] = []
    public var limits = Limits()

    public init() {}

    /// Whether a host is this machine.
    public static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host == "[::1]" || host.wholeMatch(of: /127(\.\d{1,3}){3}/) != nil
    }
}
