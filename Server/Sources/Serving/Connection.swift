import Completions
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// What is known of a request's connection.
struct ServingContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Runs a body, and cancels it when the client has gone.
    func whileConnected<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { [channel] in
                while channel.isActive { try await Task.sleep(for: .milliseconds(40)) }
                throw CancellationError()
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}

/// Closes a connection whose request does not come, whose reader stalls, or whose client has gone.
///
/// Requests that come a byte at a time, and readers that take nothing, would otherwise hold connections for ever.
final class Deadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let request: TimeAmount
    private let reader: TimeAmount
    /// Closes the connection when its time has come.
    private var requestEnd: Scheduled<Void>?
    private var readerEnd: Scheduled<Void>?
    /// Requests that have begun and are not answered: a client may send the next before it has an answer.
    private var open = 0

    init(_ limits: Limits) {
        (request, reader) = (.seconds(Int64(limits.requestSeconds)), .seconds(Int64(limits.readerSeconds)))
    }

    func handlerAdded(context: ChannelHandlerContext) { requestEnd = close(context, after: request) }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: open += 1
        // The end of one that was answered early changes nothing: the next is to come in time.
        case .end where open > 0: requestEnd?.cancel()
        default: break
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            open -= 1
            requestEnd?.cancel()
            if open == 0 { requestEnd = close(context, after: request) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        readerEnd?.cancel()
        readerEnd = context.channel.isWritable ? nil : close(context, after: reader)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Who sends nothing more has most likely gone: there is no other sign of it.
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    private func cancel() {
        requestEnd?.cancel()
        readerEnd?.cancel()
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
