import CharacterModel
import FoundationEssentials
import Synchronization

/// The models that a server offers. Names and files are known from the start: nothing in a request is ever a path.
public final class ModelTable: Sendable {
    /// A model that can be used.
    public struct Offer: Sendable {
        public var name: String
        public var path: String
        /// When the file was written, in seconds since 1970.
        public var created: Int
    }

    fileprivate struct Resident {
        var scheduler: Scheduler
        var task: Task<Void, Never>
        /// Uses at this moment, and the number of the last one.
        var uses = 0
        var lastUse = 0
    }

    fileprivate struct State {
        var resident: [String: Resident] = [:]
        var uses = 0
    }

    public let offers: [Offer]
    private let limits: Limits
    private let threads: Int?
    fileprivate let state = Mutex(State())
    private let loading = AsyncLock()

    /// - Parameter paths: models, and folders of models.
    /// - Throws: `APIError` if there is none, or two have one name.
    public init(_ paths: [String], limits: Limits, threads: Int? = nil) throws {
        (self.limits, self.threads) = (limits, threads)
        var offers: [Offer] = []
        for path in paths {
            for file in try Self.files(at: path) {
                let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
                let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
                guard !offers.contains(where: { $0.name == name }) else {
                    throw APIError(.badRequest, "two models are called \(name); rename one")
                }
                offers.append(Offer(name: name, path: file, created: Int(date?.timeIntervalSince1970 ?? 0)))
            }
        }
        guard !offers.isEmpty else { throw APIError(.badRequest, "there is no model in \(paths.joined(separator: ", "))") }
        self.offers = offers
    }

    /// The models in a folder, by name, without training states; links are not followed.
    private static func files(at path: String) throws -> [String] {
        let manager = FileManager.default
        var isFolder = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw APIError(.badRequest, "\(path): there is no such file or folder")
        }
        guard isFolder else { return [path] }
        return try manager.contentsOfDirectory(atPath: path).sorted().map { "\(path)/\($0)" }.filter {
            guard $0.hasSuffix(".safetensors"), !$0.hasSuffix(".last.safetensors") else { return false }
            return try manager.attributesOfItem(atPath: $0)[.type] as? FileAttributeType == .typeRegular
        }
    }

    /// A model in use, as long as this is kept.
    final class Lease: Sendable {
        let name: String
        let scheduler: Scheduler
        private let table: ModelTable

        fileprivate init(_ name: String, _ scheduler: Scheduler, _ table: ModelTable) {
            (self.name, self.scheduler, self.table) = (name, scheduler, table)
        }

        deinit { table.state.withLock { [name] in $0.resident[name]?.uses -= 1 } }
    }

    /// Uses a model, which is loaded if need be.
    ///
    /// - Parameter name: nil for the first.
    /// - Throws: `APIError` for a name that is not offered, or if all models in memory are busy.
    func lease(_ name: String?) async throws -> Lease {
        guard let offer = name.map({ name in offers.first { $0.name == name } }) ?? offers.first else {
            throw APIError(
                .notFound, "there is no model \((name ?? "").prefix(64)); GET /v1/models lists them", parameter: "model")
        }
        return Lease(offer.name, try await loaded(offer), self)
    }

    private func loaded(_ offer: Offer) async throws -> Scheduler {
        if let scheduler = taken(offer.name) { return scheduler }
        return try await loading.run {
            if let scheduler = self.taken(offer.name) { return scheduler }
            try self.makeRoom()
            let model: LanguageModel
            do { model = try LanguageModel(contentsOf: offer.path) } catch {
                throw APIError(.unavailable, "the model \(offer.name) cannot be read")
            }
            let scheduler = Scheduler(model, limits: self.limits, threads: self.threads)
            let resident = Resident(scheduler: scheduler, task: Task { await scheduler.run() })
            self.state.withLock { $0.resident[offer.name] = resident }
            return self.taken(offer.name)!
        }
    }

    private func taken(_ name: String) -> Scheduler? {
        state.withLock { state in
            guard state.resident[name] != nil else { return nil }
            state.uses += 1
            state.resident[name]!.uses += 1
            state.resident[name]!.lastUse = state.uses
            return state.resident[name]!.scheduler
        }
    }

    /// Forgets the model that was not used for longest, if there are too many.
    private func makeRoom() throws {
        let forgotten = try state.withLock { state -> Resident? in
            guard state.resident.count >= limits.models else { return nil }
            guard let oldest = state.resident.filter({ $0.value.uses == 0 }).min(by: { $0.value.lastUse < $1.value.lastUse })
            else { throw APIError(.unavailable, "all models in memory are busy; try again later") }
            return state.resident.removeValue(forKey: oldest.key)
        }
        forgotten?.task.cancel()
        forgotten?.scheduler.wakeUp()
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
