import Completions
import FoundationEssentials
import HTTPTypes
import Hummingbird

extension Response {
    /// A value as JSON.
    init(_ status: HTTPResponse.Status = .ok, json value: some Encodable) {
        let data = (try? Self.encoder.encode(value)) ?? Data()
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// An error in the form of the interface.
    init(_ error: APIError) {
        self.init(HTTPResponse.Status(code: error.status.rawValue), json: ErrorBody(error))
        if error.status == .tooMany || error.status == .unavailable { headers[.retryAfter] = "1" }
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }
}

struct ErrorBody: Encodable {
    struct Inner: Encodable {
        var message: String
        var type: String
        var param: String?
        var code: String?

        enum CodingKeys: String, CodingKey { case message, type, param, code }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(message, forKey: .message)
            try container.encode(type, forKey: .type)
            try container.encode(param, forKey: .param)
            try container.encode(code, forKey: .code)
        }
    }

    var error: Inner

    init(_ error: APIError) {
        self.error = Inner(message: error.message, type: error.type, param: error.parameter, code: nil)
    }
}
