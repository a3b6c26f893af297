import AsyncAlgorithms
import Completions
import HTTPTypes
import Hummingbird
import NIOCore

/// The routes of the interface.
struct Endpoint: Sendable {
    let service: CompletionService

    private static let completions = "/v1/completions"
    private static let perplexity = "/v1/perplexity"
    private static let models = "/v1/models"
    private static let chat = "/v1/chat/completions"
    static let health = "/health"
    private static let metrics = "/metrics"

    /// The route of a path, as metrics name it.
    static func route(_ path: String) -> String {
        if [completions, perplexity, models, chat, health, metrics].contains(path) || Page.paths.contains(path) {
            return path
        }
        return path.hasPrefix(models + "/") ? models : "other"
    }

    func add(to router: Router<ServingContext>) {
        router.get(.init(Self.health)) { _, _ in Response(json: ["status": "ok"]) }
        router.get(.init(Self.metrics)) { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: service.table.metrics.text)))
        }
        router.get(.init(Self.models)) { _, _ in Response(json: ModelList(service.table)) }
        router.get(.init(Self.models + "/{name}")) { _, context in
            let name = context.parameters.get("name") ?? ""
            guard let offer = service.table.offers.first(where: { $0.name == name }) else {
                throw APIError(.notFound, "there is no model \(name.prefix(64))", parameter: "model")
            }
            return Response(json: ModelList.Model(offer))
        }
        router.post(.init(Self.completions)) { request, context in
            try await answered { try await complete(request, context) }
        }
        router.post(.init(Self.perplexity)) { request, context in
            try await answered {
                let value = try await body(of: request)
                return Response(json: try await context.whileConnected { try await service.score(value) })
            }
        }
        for method in [HTTPRequest.Method.get, .post] {
            router.on(.init(Self.chat), method: method) { _, _ -> Response in
                throw APIError(.notFound, "a character model cannot chat; POST /v1/completions continues a text")
            }
        }
    }

    /// Says of what cannot be answered that it cannot.
    private func answered(_ body: () async throws -> Response) async throws(APIError) -> Response {
        do { return try await body() } catch let error as APIError { throw error } catch is NIOTooManyBytesError {
            throw APIError(.tooLarge, "the body is longer than \(service.limits.body) bytes")
        } catch {
            throw APIError(.unavailable, "the request was given up")
        }
    }

    private func body(of request: Request) async throws -> JSONValue {
        let buffer = try await request.body.collect(upTo: service.limits.body)
        return try JSONValue(parsing: buffer.readableBytesView)
    }

    private func complete(_ request: Request, _ context: ServingContext) async throws -> Response {
        let asked = try CompletionRequest(try await body(of: request), limits: service.limits)
        let answer = try await service.begin(asked)
        guard asked.streams else {
            return Response(json: try await context.whileConnected { try await answer.whole() })
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in try await Self.write(answer, context, into: &writer) })
    }

    /// Server-sent events, one for each part.
    private static func write(
        _ answer: Answer, _ context: ServingContext, into writer: inout any ResponseBodyWriter
    ) async throws {
        let channel = AsyncThrowingChannel<ByteBuffer, any Error>()
        let task = Task {
            do {
                try await context.whileConnected { try await answer.parts { await channel.send(event($0)) } }
                channel.finish()
            } catch {
                channel.fail(error)
            }
        }
        defer { task.cancel() }
        do {
            for try await event in channel { try await writer.write(event) }
            // The channel also ends when this task is cancelled, and the text is then not whole.
            try Task.checkCancellation()
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
        } catch {
            answer.cancel()
            throw error
        }
    }

    private static func event(_ part: CompletionResponse) -> ByteBuffer {
        var buffer = ByteBuffer(string: "data: ")
        buffer.writeBytes((try? Response.encoder.encode(part)) ?? .init())
        buffer.writeString("\n\n")
        return buffer
    }
}

/// As `/v1/models` lists them.
struct ModelList: Encodable {
    struct Model: Encodable {
        let id: String
        let object = "model"
        let created: Int
        let ownedBy = "escriba"
        let unit: String
        let symbols: Int
        let separator: String?

        init(_ offer: ModelTable.Offer) {
            (id, created, unit) = (offer.name, offer.created, offer.unit)
            (symbols, separator) = (offer.symbols, offer.separator)
        }

        enum CodingKeys: String, CodingKey {
            case id, object, created, unit, symbols, separator
            case ownedBy = "owned_by"
        }
    }

    let object = "list"
    let data: [Model]

    init(_ table: ModelTable) { data = table.offers.map(Model.init) }

    enum CodingKeys: String, CodingKey { case object, data }
}
