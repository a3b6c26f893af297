import Foundation
import Glibc

/// A connection that sends any bytes, as clients that are broken or hostile do.
struct RawClient {
    private let descriptor: Int32

    init(port: Int, seconds: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a request for completions.
    func ask(_ body: String) {
        let head = [
            "POST /v1/completions HTTP/1.1", "Host: localhost", "Content-Type: application/json",
            "Content-Length: \(body.utf8.count)",
        ]
        send(Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8))
    }

    /// What has come; empty at the end or after the time limit.
    func receive() async -> [UInt8] {
        // On a thread of its own: the server of the test needs those of the tasks.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [descriptor] in
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = recv(descriptor, &buffer, buffer.count, 0)
                continuation.resume(returning: Array(buffer.prefix(max(0, count))))
            }
        }
    }

    /// All that comes until the end.
    func receiveAll() async -> [UInt8] {
        var answer: [UInt8] = []
        while true {
            let part = await receive()
            if part.isEmpty { return answer }
            answer += part
        }
    }

    /// Whether the other side has closed the connection.
    var isClosed: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == 0
    }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() { Glibc.close(descriptor) }

    /// Breaks the connection off, rather than closing it.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    /// A request and its answer.
    static func ask(
        _ port: Int, _ method: String = "POST", _ path: String = "/v1/completions", body: String = "",
        headers: [String] = []
    ) async throws -> (status: Int, headers: String, body: String) {
        let client = try RawClient(port: port)
        defer { client.close() }
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close", "Content-Length: \(body.utf8.count)"]
        if !headers.contains(where: { $0.hasPrefix("Host:") }) { lines.append("Host: 127.0.0.1:\(port)") }
        if !headers.contains(where: { $0.hasPrefix("Content-Type:") }) {
            lines.append("Content-Type: application/json")
        }
        client.send(Array(((lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + body).utf8))
        let text = String(decoding: await client.receiveAll(), as: UTF8.self)
        let halves = text.components(separatedBy: "\r\n\r\n")
        let status = Int(text.split(separator: " ").dropFirst().first ?? "0") ?? 0
        return (status, halves[0], halves.dropFirst().joined(separator: "\r\n\r\n"))
    }
}
