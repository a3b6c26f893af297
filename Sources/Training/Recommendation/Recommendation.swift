import CharacterModel
import LinearAlgebra
import RealModule
import RecurrentNetwork

/// Recommended values for the shape and options that are not set: those from which a law of experience expects most, given the
/// text's size, the budget, and with a time limit the machine's speed.
///
/// `docs/defaults.md` describes the runs behind it.
public struct Recommendation: Sendable, Equatable {
    public var cell: CellKind
    public var layers: Int
    public var hidden: Int
    /// The embedding length if not tied.
    public var plainEmbedding: Int
    /// The length of the longest n-grams that are embedded, if not tied.
    public var ngramEmbedding: Int
    public var ngramRows: Int
    public var ngramDropout: Double
    public var isTied: Bool
    public var dropout: Double
    public var weightDropout: Double
    public var learningRate: Double
    public var warmup: Int
    /// The symbols that the budget reads.
    var read: Double

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
    ///   - symbols: the number of symbols in the training part.
    ///   - vocabularySize: V.
    ///   - options: the budget, batch, window and precision are used, and what is set of the shape.
    ///   - speed: what a time limit reads; it decides nothing otherwise. nil: that of a usual machine.
    ///   - fits: with a time limit, whether the memory is enough for a model; the smallest one is taken if it never is.
    public init(
        symbols: Int, vocabularySize: Int, options: TrainingOptions, speed: TrainingSpeed? = nil,
        fits: (ModelConfiguration) -> Bool = { _ in true }
    ) {
        let speed = speed ?? .usual(options.precision ?? Self.precision)
        let text = TextSize(symbols: Double(max(1, symbols)), vocabulary: vocabularySize)
        func passes(_ model: ModelConfiguration) -> Double {
            options.symbolsRead(by: model, of: text, speed) / text.symbols
        }
        let shapes = Shape.candidates(options, text).filter { $0.suits(text, passes: passes($0.model(text, options))) }
        var models = shapes.map { $0.model(text, options) }
        let read = models.map { options.symbolsRead(by: $0, of: text, speed) }
        for index in models.indices {
            Regularization.setDropouts(of: &models[index], passes: passes(models[index]), text)
        }
        let best =
            if case .seconds = options.budget {
                Self.best(models.filter(fits), text) { options.symbolsRead(by: $0, of: text, speed) }
            } else {
                Self.best(models, text, reading: read[0])
            }
        let chosen =
            best.flatMap(models.firstIndex(of:)) ?? models.indices.min {
                models[$0].usedWeights < models[$1].usedWeights
            }!
        self.init(shapes[chosen], models[chosen], read: read[chosen], text, options)
    }

    /// The model from which the law expects most; nil of none.
    private static func best(
        _ models: [ModelConfiguration], _ text: TextSize, reading: (ModelConfiguration) -> Double
    ) -> ModelConfiguration? {
        let costs = models.map { ScalingLaw.cost(of: $0, read: reading($0), text) }
        return models.indices.min { costs[$0] < costs[$1] }.map { models[$0] }
    }

    /// The same where each reads as many symbols, so that more weights cost time only: no more of them than would be worth the time
    /// on a usual machine. It does not depend on this one.
    private static func best(
        _ models: [ModelConfiguration], _ text: TextSize, reading symbols: Double
    ) -> ModelConfiguration? {
        let usual = TrainingSpeed.usual(.bfloat16)
        let sizes = Set(models.map(\.usedWeights)).sorted()
        let size = sizes.last { size in
            guard let model = models.first(where: { $0.usedWeights == size }) else { return false }
            let seconds = symbols / usual.symbolsPerSecond(model)
            let best = best(models, text) { seconds * usual.symbolsPerSecond($0) }
            return best.map { $0.usedWeights >= size } ?? false
        }
        return best(models.filter { $0.usedWeights == size ?? sizes.first }, text) { _ in symbols }
    }

    private init(
        _ shape: Shape, _ model: ModelConfiguration, read: Double, _ text: TextSize, _ options: TrainingOptions
    ) {
        (cell, layers, hidden, isTied) = (shape.cell, shape.layers, shape.hidden, shape.isTied)
        (plainEmbedding, ngramEmbedding, ngramRows) = (text.embedding, shape.ngrams, text.ngramRows)
        self.read = read
        (dropout, weightDropout, ngramDropout) = (model.dropout, model.weightDropout, model.ngramDropout)
        let steps = read / Double(options.batch) / Double(options.window)
        warmup = Int(max(1, min(100, steps / 10)))
        let rates = model.cell.cell.learningRates
        let rate = (layers > 1 ? rates.large : rates.small) * Self.growth(ofBatch: options.batch)
        learningRate = (rate * 1e6).rounded() / 1e6
    }

    /// How much higher the rate of a larger batch than the usual one is: in proportion to it (Goyal et al. 2017), above four
    /// times as many lanes to the square root of more (Malladi et al. 2022).
    private static func growth(ofBatch lanes: Int) -> Double {
        let times = Double(lanes) / Double(TrainingOptions().batch)
        let growth = times <= 1 ? 1 : times <= 4 ? times : 4 * (times / 4).squareRoot()
        return (growth * 100).rounded() / 100
    }
}

/// What a recommendation knows of a text.
struct TextSize {
    /// In the training part.
    let symbols: Double
    /// V.
    let vocabulary: Int

    /// The length of a symbol's embedding.
    var embedding: Int { min(128, max(64, vocabulary / 32)) }
    /// The length of the longest n-grams, if any are embedded: long ones recur often enough in a long text only.
    var ngramEmbedding: Int { symbols >= 1_500_000 ? 5 : 4 }
    /// Whether n-grams are embedded in a training of some passes: of a short text, or one that is often read, too much of what they
    /// tell is chance.
    func embedsNgrams(passes: Double) -> Bool { symbols >= 75_000 && passes <= 25 }
    /// A power of two near a hundredth of the text.
    var ngramRows: Int {
        let exact = symbols / 128
        return Int(.exp2(Double.log2(min(32_768, max(512, exact))).rounded()))
    }
}

/// A shape that may be recommended.
private struct Shape {
    let cell: CellKind
    let layers: Int
    let hidden: Int
    let isTied: Bool
    /// The length of the longest n-grams that are embedded.
    let ngrams: Int
    /// Whether an option decides on the n-grams, or they are impossible.
    let isSettled: Bool

    /// Whether the recommendation on n-grams is followed.
    func suits(_ text: TextSize, passes: Double) -> Bool {
        isSettled || (ngrams > 0) == text.embedsNgrams(passes: passes)
    }

    /// The shapes that options leave open.
    static func candidates(_ options: TrainingOptions, _ text: TextSize) -> [Shape] {
        let usual = [64, 96, 128, 192, 256, 384, 512]
        let sizes = options.hidden.map { [$0] } ?? usual
        let isTied = options.tied ?? false
        let isOpen = !isTied && options.embedding != 0
        let dropped = options.ngramDropout.flatMap { $0 > 0 ? text.ngramEmbedding : nil }
        let settled = isOpen ? options.ngramEmbedding ?? dropped : 0
        let lengths = settled.map { [$0] } ?? [0, text.ngramEmbedding]
        // At equal time, more units were better than a second layer.
        let layers = options.layers ?? 1
        return (options.cell.map { [$0] } ?? [.gru, .lstm]).flatMap { cell in
            sizes.flatMap { hidden in
                lengths.map {
                    Shape(
                        cell: cell, layers: layers, hidden: hidden, isTied: isTied, ngrams: $0,
                        isSettled: settled != nil)
                }
            }
        }
    }

    /// The model without dropout, and not checked: an option may be out of its range.
    func model(_ text: TextSize, _ options: TrainingOptions) -> ModelConfiguration {
        let embedding = isTied ? hidden : options.embedding ?? text.embedding
        var model = ModelConfiguration.smallest
        (model.cell, model.layers, model.hidden, model.embedding) = (cell, layers, hidden, embedding)
        (model.vocabularySize, model.isTied) = (text.vocabulary, isTied)
        (model.ngramEmbedding, model.ngramRows) = (ngrams, text.ngramRows)
        return model
    }
}

extension ModelConfiguration {
    fileprivate static var smallest: ModelConfiguration {
        guard let model = try? ModelConfiguration(hidden: 1, vocabularySize: 2) else {
            preconditionFailure("a model of one unit is possible")
        }
        return model
    }
}

extension TrainingOptions {
    /// The symbols that the budget reads.
    func symbolsRead(by model: ModelConfiguration, of text: TextSize, _ speed: TrainingSpeed) -> Double {
        switch budget {
        case .epochs(let epochs): Double(epochs) * text.symbols
        case .steps(let steps): Double(steps) * Double(self.batch) * Double(self.window)
        case .seconds(let seconds): seconds * speed.symbolsPerSecond(model)
        }
    }

    /// Sets options that are not set from a recommendation.
    package mutating func choose(_ recommendation: Recommendation) {
        self.cell = self.cell ?? recommendation.cell
        self.layers = self.layers ?? recommendation.layers
        self.hidden = self.hidden ?? recommendation.hidden
        self.tied = self.tied ?? (self.embedding == nil && recommendation.isTied)
        self.embedding = self.tied == true ? self.hidden : self.embedding ?? recommendation.plainEmbedding
        self.ngramEmbedding =
            self.ngramEmbedding ?? (self.tied == true || self.embedding == 0 ? 0 : recommendation.ngramEmbedding)
        self.ngramDropout = self.ngramDropout ?? (self.ngramEmbedding == 0 ? 0 : recommendation.ngramDropout)
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
    public init(
        _ options: TrainingOptions, data: TrainingData, speed: TrainingSpeed? = nil,
        fits: (ModelConfiguration) -> Bool = { _ in true }
    ) {
        self.init(
            symbols: data.trainingSymbols, vocabularySize: data.vocabulary.count, options: options,
            speed: speed, fits: fits)
    }

    /// The recommendation for options that are not part of a model.
    init(_ options: TrainingOptions, for model: ModelConfiguration, data: TrainingData) {
        var options = options
        (options.cell, options.layers, options.hidden) = (model.cell, model.layers, model.hidden)
        options.tied = model.isTied
        (options.embedding, options.ngramEmbedding) = (model.embedding, model.ngramEmbedding)
        self.init(options, data: data)
    }
}

extension ModelConfiguration {
    /// The shape given by options, with recommendations for the rest.
    ///
    /// - Parameters:
    ///   - speed: that of this machine; decides with a time limit only. nil: that of a usual machine.
    ///   - fits: whether the memory is enough for a shape.
    /// - Throws: `ConfigurationError` for a value out of its range, or an option that the cell does not use.
    public init(
        _ options: TrainingOptions, data: TrainingData, speed: TrainingSpeed? = nil,
        fits: (ModelConfiguration) -> Bool = { _ in true }
    ) throws(ConfigurationError) {
        // Those that are recommended use the same options.
        let asked = options.cell ?? .gru
        for option in OptionList.all where options.isGiven(option) && !asked.uses(option.name) {
            throw ConfigurationError(
                name: option.name, value: option.text(in: options) ?? "none",
                allowed: "left out: the \(asked.rawValue) cell does not use it")
        }
        var options = options
        let recommendation = Recommendation(options, data: data, speed: speed, fits: fits)
        options.choose(recommendation)
        try self.init(
            cell: recommendation.cell, layers: options.layers ?? 1, hidden: options.hidden ?? 1,
            embedding: options.embedding ?? 0, ngramEmbedding: options.ngramEmbedding ?? 0,
            ngramRows: recommendation.ngramRows, ngramDropout: options.ngramDropout ?? 0,
            vocabularySize: data.vocabulary.count,
            nonlinearity: options.nonlinearity, isTied: options.tied ?? false, dropout: options.dropout ?? 0,
            weightDropout: options.weightDropout ?? 0)
    }
}
