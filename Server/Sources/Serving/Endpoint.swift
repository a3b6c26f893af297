import AsyncAlgorithms
import Completions
import HTTPTypes
import Hummingbird

/// The routes of the interface.
struct Endpoint: Sendable {
    let service: CompletionService

    func add(to router: Router<BasicRequestContext>) {
        router.get("/health") { _, _ in Response(json: ["status": "ok"]) }
        router.get("/v1/models") { _, _ in Response(json: ModelList(service.table)) }
        router.get("/v1/models/{name}") { _, context in
            let name = context.parameters.get("name") ?? ""
            guard let offer = service.table.offers.first(where: { $0.name == name }) else {
                return Response(APIError(.notFound, "there is no model \(name.prefix(64))", parameter: "model"))
            }
            return Response(json: ModelList.Model(offer))
        }
        router.post("/v1/completions") { request, _ in await answered { try await complete(request) } }
        router.post("/v1/perplexity") { request, _ in await answered { try await score(request) } }
        router.post("/v1/chat/completions") { _, _ in
            Response(APIError(.notFound, "a character model cannot chat; POST /v1/completions continues a text"))
        }
    }

    /// A response, or the error as one.
    private func answered(_ body: () async throws -> Response) async -> Response {
        do { return try await body() } catch let error as APIError { return Response(error) } catch let error as HTTPError {
            let status: APIError.Status = error.status == .contentTooLarge ? .tooLarge : .badRequest
            return Response(APIError(status, "the body cannot be read, or is longer than \(service.limits.body) bytes"))
        } catch {
            return Response(APIError(.unavailable, "the request was given up"))
        }
    }

    private func body(of request: inout Request) async throws -> JSONValue {
        let buffer = try await request.collectBody(upTo: service.limits.body)
        return try JSONValue(parsing: buffer.readableBytesView)
    }

    private func complete(_ request: Request) async throws -> Response {
        var request = request
        let asked = try CompletionRequest(try await body(of: &request), limits: service.limits)
        let answer = try await service.begin(asked)
        guard asked.streams else {
            let whole = try await request.body.consumeWithCancellationOnInboundClose { _ in try await answer.whole() }
            return Response(json: whole)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { [request] writer in
                try await Self.write(answer, of: request, into: &writer)
            })
    }

    /// Server-sent events, one for each part.
    private static func write(
        _ answer: Answer, of request: Request, into writer: inout any ResponseBodyWriter
    ) async throws {
        let channel = AsyncThrowingChannel<ByteBuffer, any Error>()
        let task = Task {
            do {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await answer.parts { await channel.send(event($0)) }
                }
                channel.finish()
            } catch {
                answer.cancel()
                channel.fail(error)
            }
        }
        do {
            for try await event in channel { try await writer.write(event) }
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
        } catch {
            task.cancel()
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

    private func score(_ request: Request) async throws -> Response {
        var request = request
        let value = try await body(of: &request)
        let scored = try await request.body.consumeWithCancellationOnInboundClose { _ in try await service.score(value) }
        return Response(json: scored)
    }
}

/// As `/v1/models` lists them.
struct ModelList: Encodable {
    struct Model: Encodable {
        let id: String
        let object = "model"
        let created: Int
        let ownedBy = "escriba"

        init(_ offer: ModelTable.Offer) { (id, created) = (offer.name, offer.created) }

        enum CodingKeys: String, CodingKey {
            case id, object, created
            case ownedBy = "owned_by"
        }
    }

    let object = "list"
    let data: [Model]

    init(_ table: ModelTable) { data = table.offers.map(Model.init) }

    enum CodingKeys: String, CodingKey { case object, data }
}
