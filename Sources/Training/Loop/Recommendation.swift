import CharacterModel
import LinearAlgebra
import RealModule
import RecurrentNetwork

/// Recommended values for the shape and options that are not set. They depend only on the text's size and the budget, and the
/// precision on the processor.
///
/// `docs/defaults.md` describes the runs behind it.
public struct Recommendation: Sendable, Equatable {
    public var layers: Int
    public var hidden: Int
    /// The embedding length if not tied.
    public var plainEmbedding: Int
    public var isTied: Bool
    public var dropout: Double
    public var weightDropout: Double
    public var learningRate: Double
    public var warmup: Int

    /// The assumed training speed for time limits, in symbols per second: about that of two cores with the smaller
    /// model.
    static func symbolsPerSecond(_ precision: Precision) -> Double {
        switch precision {
        case .float32: 45_000
        case .bfloat16: 75_000
        }
    }
    /// How many times slower the larger model is.
    private static let cost = 3.0

    /// How much higher the rate of a larger batch than the usual one is: in proportion to it (Goyal et al. 2017), above four
    /// times as many lanes to the square root of more (Malladi et al. 2022).
    private static func growth(ofBatch lanes: Int) -> Double {
        let times = Double(lanes) / Double(TrainingOptions().batch)
        let growth = times <= 1 ? 1 : times <= 4 ? times : 4 * (times / 4).squareRoot()
        return (growth * 100).rounded() / 100
    }

    /// The lanes that several processes are given: as many for each as one process has alone, until more of them no longer
    /// pay; each process needs a group.
    public static func batch(ranks: Int) -> Int {
        let usual = TrainingOptions().batch
        let needed = usual * ((ranks + 1) / 2)
        return max(min(usual * ranks, 8 * usual), needed)
    }

    /// The precision of a new training, unless the options say so: the one that is faster on this processor (`docs/speed.md`).
    public static var precision: Precision { KernelLevel.inUse == .avx512BF16 ? .bfloat16 : .float32 }

    /// Whether to count n-grams in a text of this many symbols, unless the options say so.
    public static func countsNGrams(_ options: TrainingOptions, symbols: Int) -> Bool {
        options.counts ?? (symbols >= 20_000)
    }

    /// - Parameters:
    ///   - cell: the kind of cell.
    ///   - symbols: the number of symbols in the training part.
    ///   - vocabularySize: V.
    ///   - options: only the budget, batch, window and precision are used.
    public init(cell: CellKind, symbols: Int, vocabularySize: Int, options: TrainingOptions) {
        let read: Double =
            switch options.budget {
            case .epochs(let epochs): Double(epochs) * Double(symbols)
            case .steps(let steps): Double(steps) * Double(options.batch) * Double(options.window)
            case .seconds(let seconds): seconds * Self.symbolsPerSecond(options.precision ?? Self.precision)
            }
        // A second layer and more units help once there is enough text and time.
        let isLarge = symbols >= 300_000 && read >= 30_000_000
        var passes = max(1, read / Double(max(1, symbols)))
        if case .seconds = options.budget, isLarge { passes /= Self.cost }
        // The more passes over a text, the greater the risk of overfitting.
        let isOftenRead = passes >= 16 && read >= 2_000_000
        func rising(from start: Double, slope: Double, to limit: Double) -> Double {
            min(limit, max(0, ((slope * .log2(passes) - start) * 20).rounded() / 20))
        }
        dropout = read < 1_000_000 ? 0 : rising(from: 0.1, slope: 0.1, to: 0.4)
        weightDropout = read < 1_000_000 || isLarge ? 0 : rising(from: 0.65, slope: 0.2, to: 0.5)
        layers = isLarge ? 2 : 1
        // A large network needs a few thousand steps to learn anything.
        hidden = read < 1_000_000 ? 128 : read >= 5_000_000 || isOftenRead ? 512 : 384
        let steps = read / Double(options.batch) / Double(options.window)
        warmup = Int(max(1, min(100, steps / 10)))
        isTied = isOftenRead && !isLarge
        plainEmbedding = min(128, max(32, vocabularySize / 32))
        let rates = cell.cell.learningRates
        let rate = (isLarge ? rates.large : rates.small) * Self.growth(ofBatch: options.batch)
        learningRate = (rate * 1e6).rounded() / 1e6
        if !cell.cell.uses.contains(.weightDropout) { weightDropout = 0 }
    }
}

extension TrainingOptions {
    /// Sets options that are not set from a recommendation.
    package mutating func choose(_ recommendation: Recommendation) {
        self.layers = self.layers ?? recommendation.layers
        self.hidden = self.hidden ?? recommendation.hidden
        self.tied = self.tied ?? (self.embedding == nil && recommendation.isTied)
        self.embedding = self.tied == true ? self.hidden : self.embedding ?? recommendation.plainEmbedding
        self.dropout = self.dropout ?? recommendation.dropout
        self.weightDropout = self.weightDropout ?? recommendation.weightDropout
        chooseRest(recommendation)
    }

    /// The same for options that are not part of the model.
    mutating func chooseRest(_ recommendation: Recommendation) {
        self.precision = self.precision ?? Recommendation.precision
        self.learningRate = self.learningRate ?? recommendation.learningRate
        self.warmup = self.warmup ?? recommendation.warmup
    }
}

extension Recommendation {
    /// The recommendation for training on some data.
    public init(_ options: TrainingOptions, cell: CellKind, data: TrainingData) {
        self.init(
            cell: cell, symbols: data.trainingSymbols, vocabularySize: data.vocabulary.count, options: options)
    }
}

extension ModelConfiguration {
    /// The shape given by options, with recommendations for the rest.
    ///
    /// - Throws: `ConfigurationError` for a value out of its range, or an option that the cell does not use.
    public init(_ options: TrainingOptions, data: TrainingData) throws(ConfigurationError) {
        for option in OptionList.all where options.isGiven(option) && !options.cell.uses(option.name) {
            throw ConfigurationError(
                name: option.name, value: option.text(in: options) ?? "none",
                allowed: "left out: the \(options.cell.rawValue) cell does not use it")
        }
        var options = options
        options.choose(Recommendation(options, cell: options.cell, data: data))
        try self.init(
            cell: options.cell, layers: options.layers ?? 1, hidden: options.hidden ?? 1,
            embedding: options.embedding ?? 0, vocabularySize: data.vocabulary.count,
            nonlinearity: options.nonlinearity, isTied: options.tied ?? false, dropout: options.dropout ?? 0,
            weightDropout: options.weightDropout ?? 0)
    }
}
