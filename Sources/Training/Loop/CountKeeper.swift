import CharacterModel
import Concurrency
import RecurrentNetwork
import Synchronization
import Tokenization

/// Counts the n-grams of a training text, and learns how to mix them with the network.
///
/// The gate learns from a part of the text that the network never sees, with counts of all the rest; then that part is counted too.
final class CountKeeper {
    private let text: EncodedText
    private let held: [Range<Int>]
    private let vocabulary: Vocabulary
    private let (bytes, seed): (Int, UInt64)
    /// Without the held part, and with it.
    private var counts: (partial: NGramCounts, whole: NGramCounts)?

    /// nil if n-grams are not counted in the data.
    init?(_ data: TrainingData, _ options: TrainingOptions) {
        guard let text = data.counted else { return nil }
        (self.text, held, vocabulary) = (text, data.held, data.vocabulary)
        (bytes, seed) = (Int(options.countsSize * 1e6), options.seed)
    }

    /// Counts, unless that is done.
    func count(using workers: Workers) {
        guard counts == nil else { return }
        let made = Mutex([NGramCounts?](repeating: nil, count: 2))
        let ranges = held.isEmpty ? [[]] : [held, []]
        workers.forEach(ranges.count) { [text, vocabulary, bytes, seed] index in
            let counts = NGramCounts(
                text, without: ranges[index], vocabulary: vocabulary, bytes: bytes, seed: seed)
            made.withLock { $0[index] = counts }
        }
        let all = made.withLock { $0 }
        counts = (all[0]!, all[ranges.count - 1]!)
    }

    /// The counts, and the gate that mixes them with a network best.
    func mixture(with network: Network<Float>, using workers: Workers) -> CountMixture {
        count(using: workers)
        let fitting = GateFitting(network, counts!.partial, on: text, held, using: workers)
        return CountMixture(counts: counts!.whole, gate: fitting.fit(using: workers))
    }
}
