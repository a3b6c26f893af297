/// How the lanes of a batch are grouped: always the same, whichever engine computes a group.
///
/// Losses and gradients are summed within a group, then group by group in order; random numbers are keyed by the group.
/// So engines agree to the bit however they share the groups, as long as each processes whole, consecutive groups.
package struct LaneGroups: Sendable, Equatable {
    /// The lanes of each group.
    package let ranges: [Range<Int>]
    /// B.
    package var lanes: Int { ranges.last?.upperBound ?? 0 }

    /// The fewest lanes that make so many groups.
    package static func smallestBatch(groups: Int) -> Int {
        (1...).first { LaneGroups(batch: $0).ranges.count >= groups }!
    }

    /// An even number of groups of 4 to 12 lanes, nearly equal in size, so that two or four threads share them well;
    /// fewer for a batch below 8.
    package init(batch: Int) {
        let groups = min(batch, max(1, (batch + 8) / 16) * 2)
        var first = 0
        ranges = (0..<groups).map { group in
            let lanes = first..<first + (batch + groups - 1 - group) / groups
            first = lanes.upperBound
            return lanes
        }
    }
}
