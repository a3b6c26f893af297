import CharacterModel
import Randomness

/// When a lane's state is reset, so that a model learns how texts begin and not only how they continue: at random, as
/// in Melis, Dyer & Blunsom (2018), but only at the beginnings of lines if the text has lines.
///
/// A text in one piece has a single beginning, so a model would rarely see the boundary or a zero state.
struct ColdStarts {
    private let hasLines: Bool
    private let seed: UInt64

    init(text: EncodedText, seed: UInt64) {
        hasLines = text.hasLines
        self.seed = seed
    }

    /// Whether a lane is reset at the start of a window.
    ///
    /// - Parameter before: the symbol before the window.
    func begins(lane: Int, before: Int32, of text: EncodedText, epoch: Int, step: Int) -> Bool {
        guard !hasLines || text.endsLine(before) else { return false }
        var generator = SplitMix64(
            seed: seed, stream: RandomStream.coldStarts, UInt64(epoch), UInt64(step), UInt64(lane))
        // At the beginning of an epoch the state is always zero.
        return step == 0 || generator.uniform() < (hasLines ? 0.5 : 0.01)
    }
}
