import Completions
import HTTPTypes
import Hummingbird

/// Lets only those requests through that come from where they should: pages of other sites must not use a person's models.
struct Guard: RouterMiddleware {
    typealias Context = ServingContext

    let options: ServerOptions
    let metrics: Metrics

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let begin = ContinuousClock.now
        var response: Response
        do {
            try check(request)
            response = try await next(request, context)
        } catch let error as APIError {
            response = Response(error)
        } catch let error as HTTPError {
            response = Response(Self.refusal(error, of: request))
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        let (route, status) = (Endpoint.route(request.uri.path), Int(response.status.code))
        let body = response.body
        response.body = ResponseBody(contentLength: body.contentLength) { [metrics] writer in
            defer { metrics.answered(route, status: status, after: .now - begin) }
            try await body.write(writer)
        }
        return response
    }

    /// What the router has refused.
    private static func refusal(_ error: HTTPError, of request: Request) -> APIError {
        let path = request.uri.path.prefix(64)
        guard error.status == .notFound else { return APIError(.badRequest, "the request cannot be read") }
        guard Endpoint.route(request.uri.path) != request.uri.path else {
            return APIError(.methodNotAllowed, "\(path) cannot be asked with \(request.method.rawValue.prefix(16))")
        }
        return APIError(.notFound, "there is nothing at \(path)")
    }

    private func check(_ request: Request) throws(APIError) {
        let authority = request.head.authority?.lowercased() ?? ""
        let host = Self.name(authority)
        guard isOurs(host) else {
            throw APIError(.misdirected, "this server is not \(host.prefix(64)); the option --name allows other names")
        }
        if let origin = request.headers[.origin] {
            // Pages of other servers on this machine are not ours either.
            guard let other = Self.origin(origin), other == authority || options.names.contains(Self.name(other)) else {
                throw APIError(.forbidden, "pages of \(origin.prefix(64)) may not use this server")
            }
        }
        // Whatever a path may lead to: without a key there are only these.
        let isOpen = request.uri.path == Endpoint.health || Page.paths.contains(request.uri.path)
        if let key = options.apiKey, !isOpen {
            let given = Array((request.headers[.authorization] ?? "").utf8)
            guard Self.isEqual(given, Array("Bearer ".utf8) + key) else {
                throw APIError(.unauthorized, "the API key is missing or wrong; send it as Authorization: Bearer KEY")
            }
        }
        if request.method == .post {
            let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
            guard type == "application/json" else {
                throw APIError(
                    .unsupportedMediaType,
                    "the body must be JSON, and the header Content-Type must say application/json")
            }
        }
    }

    /// A name that another site gives to this machine is not ours; an address cannot be given to it.
    private func isOurs(_ host: String) -> Bool {
        if ServerOptions.isLoopback(host) || options.names.contains(host) || host == options.host.lowercased() {
            return true
        }
        return !ServerOptions.isLoopback(options.host)
            && (host.hasPrefix("[") || host.wholeMatch(of: /\d+(\.\d+){3}/) != nil)
    }

    /// A host without its port, in lower case.
    private static func name(_ authority: String) -> String {
        let host = authority.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }

    /// The host and port of an origin; nil for `null` and other schemes.
    private static func origin(_ origin: String) -> String? {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return String(origin.lowercased().dropFirst(scheme.count))
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
