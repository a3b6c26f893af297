import Cluster
import CommandSupport
import RecurrentNetwork
import Reports

extension Train {
    /// Trains as one of the ranks of a launch; alone without one.
    func run(in cluster: Cluster?) throws {
        guard let cluster else { return try lead(nil) }
        guard cluster.isLeader else {
            Interruption.watch()
            return try EngineService<Float>(cluster.communicator, threads: threads.count).run()
        }
        cluster.isAtOne = true
        defer { if cluster.communicator.failure == nil { EngineService<Float>.dismiss(cluster.communicator) } }
        try lead(cluster)
    }
}

/// Makes the engine of a training: of this process, or of all ranks of a launch.
final class Engines {
    private let cluster: Cluster?
    private var distributed: DistributedEngine<Float>?

    init(_ cluster: Cluster?) { self.cluster = cluster }

    func make(_ setup: EngineSetup<Float>) throws -> any Engine<Float> {
        guard let cluster else { return ThreadedEngine(setup) }
        let engine = try DistributedEngine(setup, over: cluster.communicator)
        distributed = engine
        return engine
    }

    /// The ranks, in words; nil for a process that was started alone.
    var place: String? { cluster.map { "\($0.ranks) ranks, by \($0.communicator.name)" } }

    /// What messages have cost; nil if there were none.
    var waiting: String? {
        guard let (steps, waiting) = distributed?.seconds, steps > 0 else { return nil }
        return "waited \(formatted(waiting, decimals: 1)) of \(formatted(steps, decimals: 1)) seconds in steps for "
            + "messages of other ranks (\(formatted(100 * waiting / steps, decimals: 1)) %)"
    }
}
