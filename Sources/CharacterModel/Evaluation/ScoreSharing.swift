import Cluster

/// Shares parts of a text, which can be scored independently, among ranks: each scores consecutive parts, and rank 0
/// gets the scores of all in order.
struct ScoreSharing {
    private let cluster: Cluster
    private let predicts: Bool
    private let mixes: Bool
    /// The parts of each rank; none for some if there are fewer parts than ranks.
    private let shares: [[Range<Int>]]

    init(_ cluster: Cluster, _ parts: [Range<Int>], predicts: Bool, mixes: Bool) {
        self.cluster = cluster
        (self.predicts, self.mixes) = (predicts, mixes)
        shares = Self.shares(of: parts, ranks: cluster.ranks)
    }

    /// Consecutive parts for each rank, with about as many symbols.
    static func shares(of parts: [Range<Int>], ranks: Int) -> [[Range<Int>]] {
        var shares = [[Range<Int>]](repeating: [], count: ranks)
        let first = parts.first?.lowerBound ?? 0
        let all = (parts.last?.upperBound ?? 0) - first
        for part in parts {
            // By its middle.
            let place = (part.lowerBound + part.upperBound) / 2 - first
            shares[min(ranks - 1, place * ranks / max(1, all))].append(part)
        }
        return shares
    }

    /// Scores this rank's parts, and on rank 0 tells the scores of all.
    ///
    /// - Parameters:
    ///   - tell: called with consecutive positions and their scores.
    ///   - score: scores parts; the memory begins with the first of them.
    /// - Returns: false if another rank failed.
    func run(
        _ tell: (Range<Int>, SymbolScores) -> Void, _ score: ([Range<Int>], SymbolScores) -> Void
    ) -> Bool {
        let communicator = cluster.communicator
        let scores = shares.enumerated().map { rank, parts in
            SymbolScores(
                cluster.isLeader || rank == cluster.rank ? symbols(of: parts).count : 0, predicts: predicts,
                mixes: mixes)
        }
        do throws(ClusterError) {
            var pending: [[Pending]] = []
            for (rank, parts) in shares.enumerated() where cluster.isLeader {
                let isAwaited = rank > 0 && !parts.isEmpty
                pending.append(
                    isAwaited ? messages(scores[rank]).map { communicator.receive($0, from: rank, tag: .reply) } : [])
            }
            if !shares[cluster.rank].isEmpty { score(shares[cluster.rank], scores[cluster.rank]) }
            if !cluster.isLeader && !shares[cluster.rank].isEmpty {
                pending = [messages(scores[cluster.rank]).map { communicator.send($0, to: 0, tag: .reply) }]
            }
            for (rank, messages) in pending.enumerated() {
                for message in messages { try communicator.wait(for: message) }
                if cluster.isLeader && !shares[rank].isEmpty { tell(symbols(of: shares[rank]), scores[rank]) }
            }
            return true
        } catch {
            return false
        }
    }

    private func symbols(of parts: [Range<Int>]) -> Range<Int> {
        (parts.first?.lowerBound ?? 0)..<(parts.last?.upperBound ?? 0)
    }

    private func messages(_ scores: SymbolScores) -> [Message] {
        [Message(scores.nats)] + (predicts ? [Message(scores.predictions)] : [])
            + (mixes ? [Message(scores.parts)] : [])
    }
}
