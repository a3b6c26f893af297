import Randomness
import Tokenization

/// How a model learns the probability of symbols it has never seen.
///
/// A symbol that occurs once in the training part is replaced by `unknown` with probability 1/2, as input and as
/// target. The total probability of unseen symbols is about that of symbols seen once (Good 1953).
package struct UnknownRule: Sendable {
    /// For each id, its position if it occurs once; else -1.
    private let positions: [Int]
    private let seed: UInt64

    /// - Parameter text: the training part.
    package init(text: EncodedText, vocabularySize: Int, seed: UInt64) {
        var positions = [Int](repeating: -1, count: vocabularySize)
        var counts = [Int](repeating: 0, count: vocabularySize)
        text.forEachSymbol(in: 0..<text.count) { position, symbol in
            let id = text.id(ofSymbol: symbol)
            guard id < text.boundary else { return }
            counts[Int(id)] += 1
            positions[Int(id)] = counts[Int(id)] == 1 ? position : -1
        }
        self.positions = positions
        self.seed = seed
    }

    /// Whether a symbol is replaced by `unknown` in an epoch.
    package func replaces(_ id: Int32, epoch: Int) -> Bool {
        let position = positions[Int(id)]
        guard position >= 0 else { return false }
        var generator = SplitMix64(seed: seed, stream: RandomStream.unknown, UInt64(epoch), UInt64(position))
        return generator.next() >> 63 == 1
    }
}
