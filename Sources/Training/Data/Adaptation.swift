import CharacterModel
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// The starting point of a new training run that begins with the weights of an old one.
package struct Adaptation: Sendable {
    package let configuration: ModelConfiguration
    let parameters: Parameters<Float>
    /// Whether the model has counts, which are not taken over.
    package let dropsCounts: Bool

    /// The model of a checkpoint with the symbols of another vocabulary. Weights of symbols in both vocabularies, and
    /// weights that belong to no symbol, are kept; the rest is initialized as in a new model.
    ///
    /// - Parameters:
    ///   - dropout, weightDropout, ngramDropout: for the new training run; nil for the old run's values.
    ///   - seed: for the new weights.
    /// - Throws: `ConfigurationError` for a dropout out of its range.
    package init(
        _ checkpoint: Checkpoint, to vocabulary: Vocabulary, dropout: Double? = nil,
        weightDropout: Double? = nil, ngramDropout: Double? = nil, seed: UInt64
    ) throws(ConfigurationError) {
        var configuration = checkpoint.configuration
        configuration.vocabularySize = vocabulary.count
        configuration.dropout = dropout ?? configuration.dropout
        configuration.weightDropout = weightDropout ?? configuration.weightDropout
        configuration.ngramDropout = ngramDropout ?? configuration.ngramDropout
        try configuration.validate()
        self.configuration = configuration
        dropsCounts = checkpoint.mixture != nil
        parameters = Parameters(configuration)
        parameters.initialize(configuration, seed: seed)
        let old = checkpoint.vocabulary
        var sources = vocabulary.symbols.map { old.id(of: $0) == old.unknown ? nil : old.id(of: $0) }
        sources += [old.boundary, old.unknown]
        for (entry, before) in zip(parameters.layout.entries, checkpoint.parameters.layout.entries) {
            let (new, kept) = (parameters[entry], checkpoint.parameters[before])
            switch entry.role {
            case .layer where !entry.isTransposed: new.copy(kept)
            // The rows of n-grams follow from the ids, which are others now.
            case .ngrams: if vocabulary.symbols == old.symbols { new.copy(kept) }
            case .encoder, .decoderWeight, .layer:
                for case (let id, let source?) in sources.enumerated() {
                    new.rows(id..<id + 1).copy(kept.rows(source..<source + 1))
                }
            case .decoderBias:
                for case (let id, let source?) in sources.enumerated() {
                    new.columns(id..<id + 1).copy(kept.columns(source..<source + 1))
                }
            }
        }
    }
}
