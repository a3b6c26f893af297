/// An error in the form that clients of OpenAI's interface read.
public struct APIError: Error, Sendable, Equatable {
    public enum Status: Int, Sendable {
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case tooLarge = 413
        case unsupportedMediaType = 415
        case misdirected = 421
        case tooMany = 429
        case unavailable = 503
    }

    public let status: Status
    public let message: String
    /// The field that is wrong.
    public let parameter: String?

    public init(_ status: Status, _ message: String, parameter: String? = nil) {
        (self.status, self.message, self.parameter) = (status, message, parameter)
    }

    /// A value that a field cannot have.
    init(_ parameter: String, is value: String, mustBe allowed: String) {
        self.init(.badRequest, "\(parameter) is \(value); it must be \(allowed)", parameter: parameter)
    }

    /// As theirs: `invalid_request_error`, `authentication_error` and so on.
    public var type: String {
        switch status {
        case .unauthorized: "authentication_error"
        case .forbidden: "permission_error"
        case .notFound: "not_found_error"
        case .tooMany: "rate_limit_error"
        case .unavailable: "server_error"
        default: "invalid_request_error"
        }
    }
}
