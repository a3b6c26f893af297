/// How the lanes of a batch are grouped: a constant of the arithmetic, whoever computes a group.
///
/// Losses and gradients are summed within a group, then group by group in order; random numbers are named by the group. So
/// engines agree to the bit however they share the groups, as long as each carries whole ones that follow each other.
package struct LaneGroups: Sendable, Equatable {
    /// The lanes of each group.
    package let ranges: [Range<Int>]
    /// B.
    package var lanes: Int { ranges.last?.upperBound ?? 0 }

    /// Groups of 4 to 12 lanes, alike, and an even number of them, so that two threads or four share them well; fewer for a batch
    /// below 8.
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
