import Tokenization

/// A corpus parted into what trains and what validates, as one vocabulary reads it.
public struct TrainingData: Sendable {
    public let vocabulary: Vocabulary
    package let training: EncodedText
    package let validation: EncodedText?
    /// Characters of the original text in each part.
    public let trainingCharacters: Int
    public let validationCharacters: Int

    /// Whether the training text has several beginnings.
    public var restarts: Bool { training.starts.count > 1 }
    public var trainingSymbols: Int { training.count }
    public var validationSymbols: Int { validation?.count ?? 0 }

    /// The most symbols that validate when no fraction is asked for.
    public static let defaultValidationLimit = 1_000_000

    /// Parts a corpus: the first symbols train, the contiguous tail validates, unless another corpus does.
    ///
    /// - Parameters:
    ///   - validation: a text that validates in place of the tail.
    ///   - fraction: the part that validates, at least 0 and below 1; nil: a tenth, at most 1,000,000 symbols.
    ///   - vocabulary: that of a resumed training; nil to build one from the training part.
    /// - Throws: `TrainingError.emptyText`, `TrainingError.badOption` for a fraction out of its range.
    public init(
        _ corpus: Corpus, validation: Corpus? = nil, fraction: Double? = nil, minimumCount: Int = 1,
        vocabulary given: Vocabulary? = nil
    ) throws(TrainingError) {
        guard corpus.count > 0 else { throw .emptyText(name: corpus.name) }
        if let validation, validation.count == 0 { throw .emptyText(name: validation.name) }
        if let fraction, !(fraction >= 0 && fraction < 1) {
            throw .badOption(
                ConfigurationError(
                    name: "validation-fraction", value: "\(fraction)", allowed: "at least 0 and below 1"))
        }
        var split = corpus.count
        if validation == nil {
            split = Int((1 - (fraction ?? 0.1)) * Double(corpus.count))
            if fraction == nil { split = max(split, corpus.count - Self.defaultValidationLimit) }
        }
        let vocabulary = given ?? Vocabulary(of: 0..<split, in: corpus, minimumCount: minimumCount)
        guard !vocabulary.symbols.isEmpty || split == 0 else {
            throw .badOption(
                ConfigurationError(
                    name: "min-count", value: "\(minimumCount)", allowed: "at most the count of the commonest symbol"))
        }
        self.vocabulary = vocabulary
        training = EncodedText(0..<split, of: corpus, vocabulary: vocabulary)
        trainingCharacters = corpus.characters(in: 0..<split)
        if let validation {
            self.validation = EncodedText(0..<validation.count, of: validation, vocabulary: vocabulary)
            validationCharacters = validation.characters(in: 0..<validation.count)
        } else if split < corpus.count {
            self.validation = EncodedText(split..<corpus.count, of: corpus, vocabulary: vocabulary)
            validationCharacters = corpus.characters(in: split..<corpus.count)
        } else {
            self.validation = nil
            validationCharacters = 0
        }
    }
}

extension Corpus {
    /// What to call it in a message.
    public var name: String { files.count == 1 ? files[0].name : "the text of \(files.count) files" }
}
