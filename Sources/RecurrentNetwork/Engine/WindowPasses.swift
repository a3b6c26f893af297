import LinearAlgebra

/// How groups of lanes take turns in a few shards, so that a window takes the memory of a part of the batch: in each pass some
/// groups run forward and backward and add their gradients. The order of the sums, and so the result, is always the same.
struct WindowPasses: Sendable {
    /// A group of lanes in the shard where it runs.
    struct Turn: Sendable, Equatable {
        let group: Int
        let shard: Int
    }

    /// Consecutive groups, all of them.
    let passes: [[Turn]]
    /// The lanes of each shard that is needed.
    let shards: [Int]

    /// - Parameters:
    ///   - groups: the lanes of each.
    ///   - atOnce: how many run in one pass.
    init(groups: [Int], atOnce: Int) {
        var shards: [Int] = []
        var passes: [[Turn]] = []
        // By their lanes.
        var made: [Int: [Int]] = [:]
        for first in stride(from: 0, to: groups.count, by: atOnce) {
            var used: [Int: Int] = [:]
            passes.append(
                (first..<min(first + atOnce, groups.count)).map { group in
                    let (lanes, number) = (groups[group], used[groups[group], default: 0])
                    if number == made[lanes, default: []].count {
                        made[lanes, default: []].append(shards.count)
                        shards.append(lanes)
                    }
                    used[lanes] = number + 1
                    return Turn(group: group, shard: made[lanes]![number])
                })
        }
        (self.passes, self.shards) = (passes, shards)
    }

    /// As many groups in a pass as take so much memory, but one for each thread; the threads have equal shares.
    ///
    /// - Parameter shardBytes: what the largest group takes.
    init(groups: [Int], shardBytes: Double, within bytes: Double, threads: Int) {
        let room = Int(max(1, min(bytes / shardBytes, Double(groups.count))))
        self.init(groups: groups, atOnce: room >= groups.count ? groups.count : max(1, room / threads) * threads)
    }
}
