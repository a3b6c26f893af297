import Completions
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the models again when a signal comes.
struct Reloading: Service {
    let table: ModelTable
    let logger: Logger
    let signals: [UnixSignal]

    func run() async throws {
        guard !signals.isEmpty else { return try await gracefulShutdown() }
        for await _ in await UnixSignalsSequence(trapping: signals).cancelOnGracefulShutdown() {
            let complaints = await table.reload()
            for complaint in complaints { logger.error("\(complaint)") }
            let names = table.offers.map(\.name).joined(separator: ", ")
            logger.notice("read the models again\(complaints.isEmpty ? "" : ", but for those above"); serving \(names)")
        }
    }
}
