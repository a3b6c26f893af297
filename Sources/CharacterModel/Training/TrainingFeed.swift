/// Hands the lanes of a training text to shards, a window at a time.
final class TrainingFeed: @unchecked Sendable {
    private let text: EncodedText
    private let lanes: [Lane]
    private let unknowns: UnknownRule
    /// The window, counted from the lanes' beginnings, and its epoch. Changed between windows only.
    var steps = 0..<0
    var epoch = 0

    init(_ data: TrainingData, _ lanes: [Lane], seed: UInt64) {
        text = data.training
        self.lanes = lanes
        unknowns = UnknownRule(text: text, vocabularySize: data.vocabulary.count, seed: seed)
    }

    func fill(_ shard: Shard<Float>, lanes range: Range<Int>) -> Int {
        shard.fill(lanes[range], of: text, first: steps.lowerBound, steps: steps.count) {
            unknowns.replaces($0, epoch: epoch)
        }
    }
}
