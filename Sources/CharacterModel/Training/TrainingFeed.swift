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
    /// None where there are records, which begin by themselves.
    private let coldStarts: ColdStarts?
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
        coldStarts = data.vocabulary.records != nil ? nil : ColdStarts(text: text, seed: seed)
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
        shard.fill(
            lanes[range], of: text, first: steps.lowerBound, steps: steps.count,
            replaces: { unknowns.replaces($0, epoch: epoch) },
            begins: {
                coldStarts?.begins(
                    lane: range.lowerBound + $0, before: $1, of: text, epoch: epoch, step: steps.lowerBound) ?? false
            })
    }
}

/// When a lane forgets what it has read, so that a model learns how texts begin and not only how they go on: now and then,
/// as Melis, Dyer & Blunsom (2018) do, but at the beginnings of lines only, where a text has lines.
///
/// A text of one piece has a single beginning; a model would hardly see the boundary, nor a state that is zero.
struct ColdStarts {
    private let hasLines: Bool
    private let seed: UInt64

    init(text: EncodedText, seed: UInt64) {
        hasLines = text.hasLines
        self.seed = seed
    }

    /// Whether a lane starts afresh with a window.
    ///
    /// - Parameter before: the symbol before the window.
    func begins(lane: Int, before: Int32, of text: EncodedText, epoch: Int, step: Int) -> Bool {
        guard !hasLines || text.endsLine(before) else { return false }
        var generator = SplitMix64(
            seed: seed, stream: Stream.coldStarts, UInt64(epoch), UInt64(step), UInt64(lane))
        // At the beginning of an epoch the state is zero in any case.
        return step == 0 || generator.uniform() < (hasLines ? 0.5 : 0.01)
    }
}
