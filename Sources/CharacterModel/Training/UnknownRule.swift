import LinearAlgebra
import Tokenization

/// How a model learns the probability of symbols it has never seen.
///
/// Each training occurrence of a symbol that the training part holds once is read and predicted as `unknown` with
/// probability 1/2: the mass of the unseen is about that of the once-seen (Good 1953).
package struct UnknownRule: Sendable {
    private let positions: Set<Int>
    private let seed: UInt64

    /// - Parameter text: the training part.
    package init(text: EncodedText, vocabularySize: Int, seed: UInt64) {
        var last = [Int](repeating: -1, count: vocabularySize)
        var counts = [Int](repeating: 0, count: vocabularySize)
        for (position, id) in text.ids.enumerated() where id != text.unknown {
            counts[Int(id)] += 1
            last[Int(id)] = position
        }
        positions = Set(zip(counts, last).filter { $0.0 == 1 }.map(\.1))
        self.seed = seed
    }

    /// Whether the symbol at a position stands for the unseen in an epoch.
    package func replaces(_ position: Int, epoch: Int) -> Bool {
        guard positions.contains(position) else { return false }
        var generator = SplitMix64(seed: seed, stream: Stream.unknown, UInt64(epoch), UInt64(position))
        return generator.next() >> 63 == 1
    }
}
