import ArgumentParser
import CharacterModel
import CommandSupport
import LinearAlgebra
import RecurrentNetwork
import Tokenization

struct TextOptions: ParsableArguments {
    @Option(\.unit) var unit: TextUnit?
    @Option(\.normalization) var normalization: Normalization?
    @Option(\.minCount) var minCount: Int?
    @Option(\.records) var records: String?

    func validate() throws {
        if records?.isEmpty == true {
            throw ValidationError("--records is empty; give line, blank-line, file or a text")
        }
        if unit == .byte, let normalization, normalization != .none {
            throw ValidationError("--unit byte reads raw bytes; drop --normalization \(normalization.rawValue)")
        }
    }
}

struct ModelOptions: ParsableArguments {
    @Option(\.cell) var cell: CellKind?
    @Option(\.nonlinearity) var nonlinearity: Nonlinearity?
    @Option(\.layers) var layers: Int?
    @Option(\.hidden) var hidden: Int?
    @Option(\.embedding) var embedding: Int?
    @Option(\.ngramEmbedding) var ngramEmbedding: Int?
    @Option(\.ngramDropout) var ngramDropout: Double?
    @Flag(\.tied) var tied: Bool?
    @Option(\.dropout) var dropout: Double?
    @Option(\.weightDropout) var weightDropout: Double?
    @Flag(\.counts) var counts: Bool?
    @Option(\.countsSize) var countsSize: Double?

    func validate() throws {
        if tied == true, let embedding, hidden != embedding {
            throw ValidationError("--tied makes the embedding the same size as --hidden; drop --embedding \(embedding)")
        }
        if tied == true, let ngramEmbedding, ngramEmbedding > 0 {
            throw ValidationError("--tied does not go with --ngram-embedding; drop --ngram-embedding \(ngramEmbedding)")
        }
        let obstacle = tied == true ? "--tied" : embedding == 0 ? "--embedding 0" : "--ngram-embedding 0"
        if let ngramDropout, ngramDropout > 0, tied == true || embedding == 0 || ngramEmbedding == 0 {
            throw ValidationError("--ngram-dropout does not go with \(obstacle); drop --ngram-dropout \(ngramDropout)")
        }
    }
}

struct TrainingFlags: ParsableArguments {
    @Option(\.batch) var batch: Int?
    @Option(\.window) var window: Int?
    @Option(\.epochs) var epochs: Int?
    @Option(\.steps) var steps: Int?
    @Option(\.timeLimit) var timeLimit: CommandSupport.Duration?
    @Option(
        parsing: .unconditional,
        help: """
            Time to try other layers, units, dropout, rates and windows than those recommended, unless flags set them. \
            The training then continues from the best one, for the budget.
            """, transform: CommandSupport.Duration.init(parsing:))
    var tune: CommandSupport.Duration?
    @Option(\.optimizer) var optimizer: Optimizer?
    @Option(\.precision) var precision: Precision?
    @Option(\.learningRate) var learningRate: Double?
    @Option(\.schedule) var schedule: Schedule?
    @Option(\.warmup) var warmup: Int?
    @Option(\.weightDecay) var weightDecay: Double?
    @Option(\.clip) var clip: Double?
    @Option(\.maxRecoveries) var maxRecoveries: Int?
    @Option(\.seed) var seed: UInt64?

    func validate() throws {
        if [epochs != nil, steps != nil, timeLimit != nil].filter({ $0 }).count > 1 {
            throw ValidationError("--epochs, --steps and --time-limit exclude each other; give one")
        }
    }

    var hasBudget: Bool { epochs != nil || steps != nil || timeLimit != nil }
}

struct ValidationOptions: ParsableArguments {
    @Option(\.validationFraction) var validationFraction: Double?
    @Option(\.validation, completion: .file()) var validation: String?
    @Option(\.evaluateEvery) var evaluateEvery: Int?
    @Option(\.patience) var patience: Int?

    func validate() throws {
        if validationFraction != nil && validation != nil {
            throw ValidationError("--validation-fraction and --validation exclude each other; give one")
        }
    }
}
