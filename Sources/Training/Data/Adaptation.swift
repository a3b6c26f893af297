import CharacterModel
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// Where a new training begins from the weights of an old one.
package struct Adaptation: Sendable {
    package let configuration: ModelConfiguration
    let parameters: Parameters<Float>

    /// The model of a checkpoint with the symbols of another vocabulary: what belongs to symbols that both have, and all that
    /// belongs to none, is kept; the rest is as in a new model.
    ///
    /// - Parameters:
    ///   - dropout, weightDropout: of the new training; nil for the old one's.
    ///   - seed: of what is new.
    /// - Throws: `ConfigurationError` for a dropout out of its range.
    package init(
        _ checkpoint: Checkpoint, to vocabulary: Vocabulary, dropout: Double? = nil,
        weightDropout: Double? = nil, seed: UInt64
    ) throws(ConfigurationError) {
        var configuration = checkpoint.configuration
        configuration.vocabularySize = vocabulary.count
        configuration.dropout = dropout ?? configuration.dropout
        configuration.weightDropout = weightDropout ?? configuration.weightDropout
        try configuration.validate()
        self.configuration = configuration
        parameters = Parameters(configuration)
        parameters.initialize(configuration, seed: seed)
        let old = checkpoint.vocabulary
        var sources = vocabulary.symbols.map { old.id(of: $0) == old.unknown ? nil : old.id(of: $0) }
        sources += [old.boundary, old.unknown]
        for (entry, before) in zip(parameters.layout.entries, checkpoint.parameters.layout.entries) {
            let (new, kept) = (parameters[entry], checkpoint.parameters[before])
            switch entry.role {
            case .layer where !entry.isTransposed: new.copy(kept)
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
