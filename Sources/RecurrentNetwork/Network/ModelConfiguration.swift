import LinearAlgebra

/// The shape of a model: everything that decides which parameters it has and what they compute.
///
/// Shapes everywhere: T window (time steps), B batch lanes, V vocabulary, E embedding, H hidden, L layers, G gates.
public struct ModelConfiguration: Sendable, Equatable, Codable {
    public var cell: CellKind
    /// L.
    public var layers: Int
    /// H.
    public var hidden: Int
    /// E; 0 for a one-hot input.
    public var embedding: Int
    /// The length of the longest n-grams whose embeddings are added to that of the last symbol: of 2 symbols, of 3, and so on; 0
    /// for none.
    public var ngramEmbedding: Int
    /// The rows of the table of each length of n-grams, which share them by their hashes.
    public var ngramRows: Int
    /// The probability that the embedding of an n-gram is dropped while training, at each place and for each length anew; what is
    /// kept is divided by the probability to keep it.
    public var ngramDropout: Double
    /// V.
    public var vocabularySize: Int
    /// Of the cells that use one; the others ignore it.
    public var nonlinearity: Nonlinearity
    /// Whether the embedding of a symbol is also its row of the decoder (Press & Wolf 2017); E = H then.
    public var isTied: Bool
    /// The probability that an output of a layer is dropped while training: between layers and before the decoder, the same
    /// outputs through a window.
    public var dropout: Double
    /// The probability that a recurrent weight is dropped while training, the same ones through a window.
    public var weightDropout: Double

    enum CodingKeys: String, CodingKey {
        case cell, layers, hidden, embedding
        case ngramEmbedding = "ngram_embedding"
        case ngramRows = "ngram_rows"
        case ngramDropout = "ngram_dropout"
        case vocabularySize = "vocabulary_size"
        case nonlinearity
        case isTied = "tied"
        case dropout
        case weightDropout = "weight_dropout"
    }

    /// - Throws: `ConfigurationError` for a value out of its range.
    public init(
        cell: CellKind = .gru, layers: Int = 1, hidden: Int = 384, embedding: Int = 0,
        ngramEmbedding: Int = 0, ngramRows: Int = usualNgramRows, ngramDropout: Double = 0,
        vocabularySize: Int, nonlinearity: Nonlinearity = .tanh, isTied: Bool = false, dropout: Double = 0,
        weightDropout: Double = 0
    ) throws(ConfigurationError) {
        self.cell = cell
        self.layers = layers
        self.hidden = hidden
        self.embedding = embedding
        self.ngramEmbedding = ngramEmbedding
        // Without n-grams there is nothing to tell apart.
        self.ngramRows = ngramEmbedding == 0 ? Self.usualNgramRows : ngramRows
        self.ngramDropout = ngramDropout
        self.vocabularySize = vocabularySize
        self.nonlinearity = nonlinearity
        self.isTied = isTied
        self.dropout = dropout
        self.weightDropout = weightDropout
        try validate()
    }

    /// Keys that are missing from a file get the defaults of a new configuration.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        cell = try container.decode(CellKind.self, forKey: .cell)
        layers = try container.decode(Int.self, forKey: .layers)
        hidden = try container.decode(Int.self, forKey: .hidden)
        embedding = try container.decodeIfPresent(Int.self, forKey: .embedding) ?? 0
        ngramEmbedding = try container.decodeIfPresent(Int.self, forKey: .ngramEmbedding) ?? 0
        let rows = ngramEmbedding == 0 ? nil : try container.decodeIfPresent(Int.self, forKey: .ngramRows)
        ngramRows = rows ?? Self.usualNgramRows
        ngramDropout = try container.decodeIfPresent(Double.self, forKey: .ngramDropout) ?? 0
        vocabularySize = try container.decode(Int.self, forKey: .vocabularySize)
        nonlinearity = try container.decodeIfPresent(Nonlinearity.self, forKey: .nonlinearity) ?? .tanh
        isTied = try container.decodeIfPresent(Bool.self, forKey: .isTied) ?? false
        dropout = try container.decodeIfPresent(Double.self, forKey: .dropout) ?? 0
        weightDropout = try container.decodeIfPresent(Double.self, forKey: .weightDropout) ?? 0
    }

    /// A model without embeddings of n-grams is written as it was before there were any.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(cell, forKey: .cell)
        try container.encode(layers, forKey: .layers)
        try container.encode(hidden, forKey: .hidden)
        try container.encode(embedding, forKey: .embedding)
        if embedsNgrams {
            try container.encode(ngramEmbedding, forKey: .ngramEmbedding)
            try container.encode(ngramRows, forKey: .ngramRows)
            if ngramDropout > 0 { try container.encode(ngramDropout, forKey: .ngramDropout) }
        }
        try container.encode(vocabularySize, forKey: .vocabularySize)
        try container.encode(nonlinearity, forKey: .nonlinearity)
        try container.encode(isTied, forKey: .isTied)
        try container.encode(dropout, forKey: .dropout)
        try container.encode(weightDropout, forKey: .weightDropout)
    }

    public static let layerRange = 1...64
    public static let hiddenRange = 1...32_768
    public static let embeddingRange = 0...32_768
    /// Lengths of n-grams, if any are embedded.
    public static let ngramRange = 2...8
    public static let ngramRowsRange = 1...16_777_216
    /// The rows of a table of n-grams unless a text is large.
    public static let usualNgramRows = 8_192

    /// Checks that every value is within its bounds. Within them no product of sizes overflows.
    public func validate() throws(ConfigurationError) {
        try Self.check("layers", layers, in: Self.layerRange)
        try Self.check("hidden", hidden, in: Self.hiddenRange)
        try Self.check("embedding", embedding, in: Self.embeddingRange)
        if embedsNgrams {
            try Self.check("ngram_embedding", ngramEmbedding, in: Self.ngramRange)
            guard !isOneHot && !isTied else {
                throw ConfigurationError(
                    name: "ngram_embedding", value: "\(ngramEmbedding)",
                    allowed: "0 if the embedding is \(isTied ? "tied" : "0")")
            }
        }
        try Self.check("ngram_rows", ngramRows, in: Self.ngramRowsRange)
        try Self.check("vocabulary_size", vocabularySize, in: 2...16_777_216)
        let dropouts = [("ngram_dropout", ngramDropout), ("dropout", dropout), ("weight_dropout", weightDropout)]
        for (name, value) in dropouts {
            guard value >= 0 && value < 1 else {
                throw ConfigurationError(name: name, value: "\(value)", allowed: "at least 0 and below 1")
            }
        }
        guard ngramDropout == 0 || embedsNgrams else {
            throw ConfigurationError(
                name: "ngram_dropout", value: "\(ngramDropout)", allowed: "0 in a model that embeds no n-grams")
        }
        guard embedding > 0 || !cell.cell.needsEmbedding else {
            throw ConfigurationError(
                name: "embedding", value: "0", allowed: "above 0: the \(cell.rawValue) cell needs an embedding")
        }
        guard weightDropout == 0 || cell.cell.uses.contains(.weightDropout) else {
            throw ConfigurationError(
                name: "weight_dropout", value: "\(weightDropout)",
                allowed: "0: the \(cell.rawValue) cell has no recurrent weights to drop")
        }
        guard !isTied || embedding == hidden else {
            throw ConfigurationError(
                name: "embedding", value: "\(embedding)", allowed: "\(hidden), the same as hidden, if it is tied")
        }
    }

    private static func check(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(ConfigurationError) {
        guard range.contains(value) else {
            throw ConfigurationError(
                name: name, value: "\(value)", allowed: "from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// The number of trainable parameters.
    public var parameterCount: Int {
        ParameterLayout(self).entries.reduce(0) { $0 + (isTied && $1.role == .encoder ? 0 : $1.rows * $1.columns) }
    }

    /// The sizes of a layer.
    package func layer(_ index: Int) -> LayerShape {
        LayerShape(
            input: index > 0 ? hidden : isOneHot ? vocabularySize : embedding, hidden: hidden,
            isOneHot: index == 0 && isOneHot, nonlinearity: nonlinearity)
    }

    package var isOneHot: Bool { embedding == 0 }
    package var embedsNgrams: Bool { ngramEmbedding != 0 }
    /// How many lengths of n-grams are embedded.
    package var ngramLengths: Int { max(0, ngramEmbedding - 1) }
}

/// A value of an option, of a model or a training, that is out of its range.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let name: String
    public let value: String
    public let allowed: String

    public init(name: String, value: String, allowed: String) {
        self.name = name
        self.value = value
        self.allowed = allowed
    }

    public var description: String { "\(name) is \(value); it must be \(allowed)" }
}
