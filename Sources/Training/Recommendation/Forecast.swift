import CharacterModel
import Concurrency
import RealModule
import RecurrentNetwork

/// What a training should reach in the validation, as ``ScalingLaw`` says before it begins.
public struct Forecast: Sendable, Equatable {
    /// Mean nats per symbol.
    public var nats: Double
    /// The same, as bits per character of the original text.
    public var bitsPerCharacter: Double

    /// Counts n-grams to see how hard the text is, which takes up to a second.
    ///
    /// - Parameters:
    ///   - model: what is trained.
    ///   - options: those of the training; the budget, batch, window and precision are used.
    ///   - speed: what a time limit reads; nil: that of a usual machine.
    ///   - threads: nil: one per core.
    /// - Returns: nil without a validation part.
    public init?(
        _ model: ModelConfiguration, options: TrainingOptions, data: TrainingData, speed: TrainingSpeed? = nil,
        threads: Int? = nil
    ) {
        let workers = Workers(count: max(1, threads ?? Workers.cores))
        guard let validation = data.validation, let difficulty = Self.difficulty(of: data, using: workers) else {
            return nil
        }
        let text = TextSize(symbols: Double(max(1, data.trainingSymbols)), vocabulary: data.vocabulary.count)
        let speed = speed ?? .usual(options.precision ?? Recommendation.precision)
        let read = options.symbolsRead(by: model, of: text, speed)
        let network = ScalingLaw.nats(of: model, read: read, text, difficulty: difficulty)
        nats = data.counted == nil ? network : ScalingLaw.mixed(network, difficulty: difficulty)
        let symbols = Double(validation.count) / Double(max(1, data.validationCharacters))
        bitsPerCharacter = nats / .log(2) * symbols
    }

    /// What the validations of a training should end at, when one is known: as much lower as trainings with a cosine schedule
    /// became after that part of their budget (`docs/defaults.md`).
    ///
    /// - Parameters:
    ///   - nats: per symbol, of the validation.
    ///   - progress: the part of the budget that was spent by then, from 0 to 1.
    ///   - isMixed: whether counts are mixed in, which know much from the beginning.
    /// - Returns: nil where it is too early to tell, or too late to be of use.
    public static func end(after nats: Double, progress: Double, isMixed: Bool = false) -> Double? {
        guard (0.35...0.95).contains(progress) else { return nil }
        return nats - min((isMixed ? 0.09 : 0.22) * (1 - progress) * (1 - progress), nats / 5)
    }

    /// Symbols of a text that are counted at most.
    private static let counted = 1_000_000

    /// The mean nats of the validation part under n-grams of the training part's beginning: what tells a text's entropy before any
    /// training.
    package static func difficulty(of data: TrainingData, using workers: Workers) -> Double? {
        guard let validation = data.validation else { return nil }
        let text = data.counted ?? data.training
        let rest = min(text.count, counted)..<text.count
        let counts = NGramCounts(
            text, without: rest.isEmpty ? [] : [rest], vocabulary: data.vocabulary, bytes: 1 << 30, seed: 1)
        return counts.meanNats(of: validation, using: workers)
    }
}
