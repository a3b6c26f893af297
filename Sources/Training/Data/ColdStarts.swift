import CharacterModel
import Randomness

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
            seed: seed, stream: RandomStream.coldStarts, UInt64(epoch), UInt64(step), UInt64(lane))
        // At the beginning of an epoch the state is zero in any case.
        return step == 0 || generator.uniform() < (hasLines ? 0.5 : 0.01)
    }
}
