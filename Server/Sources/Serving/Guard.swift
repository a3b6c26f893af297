import Completions
import HTTPTypes
import Hummingbird

/// Lets only those requests through that come from where they should: pages of other sites must not use a person's models.
struct Guard: RouterMiddleware {
    typealias Context = BasicRequestContext

    let options: ServerOptions

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do throws(APIError) { try check(request) } catch { return Response(error) }
        var response = try await next(request, context)
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    private func check(_ request: Request) throws(APIError) {
        let host = Self.name(request.head.authority ?? "")
        guard isOurs(host) else {
            throw APIError(.misdirected, "this server is not \(host.prefix(64)); the option --name allows other names")
        }
        if let origin = request.headers[.origin] {
            guard let name = Self.origin(origin), isOurs(name) else {
                throw APIError(.forbidden, "pages of \(origin.prefix(64)) may not use this server")
            }
        }
        let path = request.uri.path
        if let key = options.apiKey, path.hasPrefix("/v1/") || path == "/metrics" {
            let given = Array((request.headers[.authorization] ?? "").utf8)
            guard Self.isEqual(given, Array("Bearer ".utf8) + key) else {
                throw APIError(.unauthorized, "the API key is missing or wrong; send it as Authorization: Bearer KEY")
            }
        }
        if request.method == .post {
            let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
            guard type == "application/json" else {
                throw APIError(.unsupportedMediaType, "the body must be application/json")
            }
        }
    }

    private func isOurs(_ host: String) -> Bool {
        ServerOptions.isLoopback(host) || host == options.host.lowercased() || options.names.contains(host)
    }

    /// A host without its port, in lower case.
    private static func name(_ authority: String) -> String {
        let host = authority.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }

    /// The host of an origin; nil for `null` and other schemes.
    private static func origin(_ origin: String) -> String? {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return name(String(origin.dropFirst(scheme.count)))
        }
        return nil
    }

    /// Takes as long whatever is different.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        var difference: UInt8 = a.count == b.count ? 0 : 1
        for index in b.indices { difference |= b[index] ^ (index < a.count ? a[index] : 0) }
        return difference == 0
    }

    private static let headers: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"), (.cacheControl, "no-store"),
        (HTTPField.Name("Referrer-Policy")!, "no-referrer"),
        (
            .contentSecurityPolicy,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
                + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ]
}
