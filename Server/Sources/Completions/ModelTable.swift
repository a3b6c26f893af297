import CharacterModel
import FoundationEssentials
import Synchronization
import Tokenization

/// The models that a server offers. Names and files are known from the start: nothing in a request is ever a path.
public final class ModelTable: Sendable {
    /// A model that can be used.
    public struct Offer: Sendable {
        public var name: String
        /// When the file was written, in seconds since 1970.
        public var created: Int
        /// What one symbol is.
        public var unit: String
        /// The number of symbols that it can write.
        public var symbols: Int
        /// What ends a record, as a text; nil for a model without records.
        public var separator: String?
        fileprivate var path: String
    }

    /// A model in memory, with what works with it.
    final class Resident: Sendable {
        let model: LanguageModel
        let scheduler: Scheduler
        let scorer: CachedScorer
        fileprivate let uses = Atomic(0)
        private let task: Task<Void, Never>

        fileprivate init(_ model: LanguageModel, _ name: String, _ limits: Limits, _ metrics: Metrics, threads: Int?) {
            let scheduler = Scheduler(model, name: name, limits: limits, metrics: metrics, threads: threads)
            (self.model, self.scheduler, scorer) = (model, scheduler, CachedScorer(model))
            task = Task { await scheduler.run() }
        }

        deinit {
            task.cancel()
            scheduler.wakeUp()
        }
    }

    /// A model in use, as long as this is kept.
    final class Lease: Sendable {
        let name: String
        let resident: Resident
        var model: LanguageModel { resident.model }
        var scheduler: Scheduler { resident.scheduler }

        fileprivate init(_ name: String, _ resident: Resident) {
            (self.name, self.resident) = (name, resident)
            resident.uses.add(1, ordering: .relaxed)
        }

        deinit { resident.uses.subtract(1, ordering: .relaxed) }
    }

    private struct State {
        var offers: [Offer] = []
        var complaints: [String] = []
        var residents: [String: (resident: Resident, lastUse: Int)] = [:]
        var uses = 0
    }

    private let paths: [String]
    private let limits: Limits
    private let threads: Int?
    public let metrics: Metrics
    private let state = Mutex(State())
    private let loading = AsyncLock()

    /// Reads every model once, so that a broken one is known from the start.
    ///
    /// - Parameter paths: models, and folders of models.
    /// - Throws: `APIError` for a broken model, unless it was found in a folder; if there is none, or if two have one name.
    public init(_ paths: [String], limits: Limits, metrics: Metrics = Metrics(), threads: Int? = nil) throws {
        (self.paths, self.limits, self.metrics, self.threads) = (paths, limits, metrics, threads)
        let files = try ModelFiles.find(paths)
        var complaints: [String] = []
        for file in files {
            let (model, offer): (LanguageModel, Offer)
            do { (model, offer) = try Self.read(file) } catch let error where file.isFound {
                complaints.append(Self.reason(error) + "; it is left out")
                continue
            }
            state.withLock { state in
                state.offers.append(offer)
                if state.residents.count < limits.models { keep(model, offer.name, &state) }
            }
        }
        state.withLock { [complaints] in $0.complaints = complaints }
        if offers.isEmpty { throw APIError(.badRequest, complaints.joined(separator: "; ")) }
    }

    /// A line for each broken model of a folder.
    public var complaints: [String] { state.withLock { $0.complaints } }

    public var offers: [Offer] { state.withLock { $0.offers } }

    /// Reads again every file that may have changed. A model that cannot be read stays as it is.
    ///
    /// - Returns: a line for each model that was not read, with the reason.
    public func reload() async -> [String] {
        (try? await loading.run { self.readAgain() }) ?? []
    }

    private func readAgain() -> [String] {
        let files: [ModelFiles.File]
        do { files = try ModelFiles.find(paths) } catch {
            return ["the models stay as they are: \(Self.reason(error))"]
        }
        let earlier = offers
        var (offers, complaints): ([Offer], [String]) = ([], [])
        for file in files {
            do {
                let (model, offer) = try Self.read(file)
                offers.append(offer)
                state.withLock { if $0.residents[offer.name] != nil { keep(model, offer.name, &$0) } }
            } catch {
                let known = earlier.first { $0.name == file.name }
                known.map { offers.append($0) }
                complaints.append(
                    Self.reason(error)
                        + (known == nil ? "; it is left out" : "; the one from before stays, if it is in memory"))
            }
        }
        state.withLock { [offers] state in
            if !offers.isEmpty { state.offers = offers }
            state.residents = state.residents.filter { name, _ in state.offers.contains { $0.name == name } }
        }
        return complaints
    }

    private static func reason(_ error: any Error) -> String { (error as? APIError)?.message ?? "\(error)" }

    private static func read(_ file: ModelFiles.File) throws -> (LanguageModel, Offer) {
        let model: LanguageModel
        do { model = try LanguageModel(contentsOf: file.path) } catch { throw APIError(.unavailable, "\(error)") }
        let vocabulary = model.vocabulary
        let separator: String? = vocabulary.records.map { $0.separatorText }
        return (
            model,
            Offer(
                name: file.name, created: file.created, unit: vocabulary.unit.rawValue,
                symbols: vocabulary.symbols.count,
                separator: separator, path: file.path)
        )
    }

    private func keep(_ model: LanguageModel, _ name: String, _ state: inout State) {
        state.uses += 1
        state.residents[name] = (Resident(model, name, limits, metrics, threads: threads), state.uses)
    }

    // MARK: Use

    /// Uses a model, which is loaded if need be.
    ///
    /// - Parameter name: nil for the first.
    /// - Throws: `APIError` for a name that is not offered, or if all models in memory are busy.
    func lease(_ name: String?) async throws -> Lease {
        let offers = offers
        guard let offer = name.map({ name in offers.first { $0.name == name } }) ?? offers.first else {
            throw APIError(
                .notFound, "there is no model \((name ?? "").prefix(64)); GET /v1/models lists them", parameter: "model"
            )
        }
        if let lease = taken(offer.name) { return lease }
        return try await loading.run {
            if let lease = self.taken(offer.name) { return lease }
            try self.makeRoom()
            let model: LanguageModel
            do { model = try LanguageModel(contentsOf: offer.path) } catch {
                throw APIError(.unavailable, "the model \(offer.name) cannot be read")
            }
            self.state.withLock { self.keep(model, offer.name, &$0) }
            return self.taken(offer.name)!
        }
    }

    private func taken(_ name: String) -> Lease? {
        state.withLock { state in
            guard let resident = state.residents[name]?.resident else { return nil }
            state.uses += 1
            state.residents[name]!.lastUse = state.uses
            return Lease(name, resident)
        }
    }

    /// Forgets the model that was not used for longest, if there are too many.
    private func makeRoom() throws(APIError) {
        let hasRoom = state.withLock { state in
            guard state.residents.count >= limits.models else { return true }
            let idle = state.residents.filter { $0.value.resident.uses.load(ordering: .relaxed) == 0 }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return false }
            state.residents[oldest.key] = nil
            return true
        }
        if !hasRoom { throw APIError(.unavailable, "all models in memory are busy; try again later") }
    }
}

extension RecordSeparator {
    /// A text that ends a record.
    var separatorText: String {
        switch self {
        case .line: "\n"
        case .blankLine: "\n\n"
        case .file: ""
        case .text(let text): text
        }
    }
}

/// Lets one task at a time do something that waits.
actor AsyncLock {
    private var last: Task<Void, Never>?

    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let before = last
        let task = Task<Value, any Error> {
            await before?.value
            return try await body()
        }
        last = Task { _ = try? await task.value }
        return try await task.value
    }
}
