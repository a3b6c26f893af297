import CharacterModel
import Concurrency
import RealModule
import RecurrentNetwork

/// What a training is expected to reach in the validation, before it begins.
public struct Expectation: Sendable, Equatable {
    /// Mean nats per symbol.
    public var nats: Double
    public var bitsPerCharacter: Double
    var difficulty: Double
}

/// How hard a text is to predict for n-grams: what tells a text's entropy before any training.
struct TextDifficulty {
    /// Symbols that are counted at most.
    private static let limit = 1_000_000

    /// Mean nats per symbol of the validation part under n-grams of the training part's beginning.
    let nats: Double

    /// nil without a validation part.
    init?(_ data: TrainingData, using workers: Workers) {
        guard let validation = data.validation else { return nil }
        let text = data.counted ?? data.training
        let rest = min(text.count, Self.limit)..<text.count
        let counts = NGramCounts(
            text, without: rest.isEmpty ? [] : [rest], vocabulary: data.vocabulary, bytes: .max, seed: 1)
        nats = counts.meanNats(of: validation, using: workers)
    }
}
