import LinearAlgebra
import Tokenization

/// Hands the lanes of a training text to shards, a window at a time; records come in another order in each epoch.
final class TrainingFeed: @unchecked Sendable {
    private let original: EncodedText
    /// The text in the order of the epoch.
    private var text: EncodedText
    private var ordered: Int?
    /// What is put into another order: records; none of a text without them.
    private let groups: [Range<Int>]
    private let lanes: [Lane]
    private let unknowns: UnknownRule
    private let seed: UInt64
    /// The window, counted from the lanes' beginnings, and its epoch. Changed between windows only.
    private var steps = 0..<0
    private var epoch = 0

    init(_ data: TrainingData, _ lanes: [Lane], seed: UInt64) {
        original = data.training
        text = data.training
        groups = data.vocabulary.records != nil ? text.groups() : []
        self.lanes = lanes
        self.seed = seed
        unknowns = UnknownRule(text: text, vocabularySize: data.vocabulary.count, seed: seed)
    }

    /// Turns to a window.
    func turn(to steps: Range<Int>, epoch: Int) {
        (self.steps, self.epoch) = (steps, epoch)
        guard groups.count > 1 && ordered != epoch else { return }
        var generator = SplitMix64(seed: seed, stream: Stream.order, UInt64(epoch))
        text = original.shuffled(groups, using: &generator)
        ordered = epoch
    }

    func fill(_ shard: Shard<Float>, lanes range: Range<Int>) -> Int {
        shard.fill(lanes[range], of: text, first: steps.lowerBound, steps: steps.count) {
            unknowns.replaces($0, epoch: epoch)
        }
    }
}
