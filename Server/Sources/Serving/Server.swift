import Completions
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// A server for completions, on one's own machine.
public struct Server: Sendable {
    private let options: ServerOptions
    let service: CompletionService
    private let logger: Logger

    public init(_ table: ModelTable, options: ServerOptions, logger: Logger) {
        (self.options, self.logger) = (options, logger)
        service = CompletionService(table, limits: options.limits)
    }

    /// Serves until SIGTERM or SIGINT, or until the task is cancelled; requests under way then have some seconds to end.
    ///
    /// - Parameters:
    ///   - signals: those that end it.
    ///   - reloads: those that make it read the models again.
    ///   - onReady: called with the port once the server listens.
    public func run(
        endingOn signals: [UnixSignal] = [.sigterm, .sigint], reloadingOn reloads: [UnixSignal] = [.sighup],
        onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        let router = Router(context: ServingContext.self)
        router.middlewares.add(Guard(options: options, metrics: service.table.metrics))
        Endpoint(service: service).add(to: router)
        Page.add(to: router)
        let application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [Deadlines(options.limits)],
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8_192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: .hostname(options.host, port: options.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(options.limits.connections)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) }, logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [application, Reloading(table: service.table, logger: logger, signals: reloads)],
            gracefulShutdownSignals: signals, logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(4)
        do { try await ServiceGroup(configuration: configuration).run() } catch let error as IOError {
            throw ListeningError(reason: String(cString: strerror(error.errnoCode)))
        }
    }
}

/// The address cannot be listened on.
public struct ListeningError: Error {
    public let reason: String
}
