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
            return try follow(cluster)
        }
        // Without a tuning, the others only wait for an engine.
        cluster.isAtOne = training.tune == nil
        try lead(cluster)
    }

    /// What the ranks other than 0 do themselves: their part of a tuning.
    private func follow(_ cluster: Cluster) throws {
        guard let seconds = training.tune?.seconds else { return }
        var preparation = try prepare(with: cluster)
        try tune(&preparation, for: seconds, on: cluster)
    }

    /// Reads the texts: rank 0 alone, or all ranks for a tuning.
    func prepare(with cluster: Cluster?) throws -> Preparation {
        guard let cluster, training.tune != nil else { return try Preparation(self, ranks: cluster?.ranks ?? 1) }
        func facts(_ preparation: Preparation) -> [Cluster.Fact] {
            let corpus = preparation.record.corpus
            return [Cluster.Fact("text", corpus.sha256), Cluster.Fact("text", corpus.validationSHA256 ?? "")]
        }
        return try cluster.together(describe: failure, facts: facts) { try Preparation(self, ranks: cluster.ranks) }
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
        return "waited \(formatted(waiting, decimals: 2)) of \(formatted(steps, decimals: 2)) seconds in steps for "
            + "messages of other ranks (\(formatted(100 * waiting / steps, decimals: 1)) %)"
    }
}
