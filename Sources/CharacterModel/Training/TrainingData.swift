import LinearAlgebra
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
    /// Records in each part; 0 for a text without records.
    public let trainingRecords: Int
    public let validationRecords: Int
    /// Records of a validation text of its own that stand in the training text too.
    public let repeatedRecords: Int
    /// Whether the text is read from a file of tokens rather than from memory.
    public let isInFile: Bool
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
    ///   - known: symbols that the vocabulary has in any case.
    /// - Throws: `TrainingError.emptyText`, `TrainingError.badOption` for a fraction out of its range.
    public init(
        _ corpus: Corpus, validation: Corpus? = nil, fraction: Double? = nil, minimumCount: Int = 1,
        vocabulary given: Vocabulary? = nil, extending known: Vocabulary? = nil
    ) throws(TrainingError) {
        guard corpus.count > 0 else { throw .emptyText(name: corpus.name) }
        if let validation, validation.count == 0 { throw .emptyText(name: validation.name) }
        if let fraction, !(fraction >= 0 && fraction < 1) {
            throw .badOption(
                ConfigurationError(
                    name: "validation-fraction", value: "\(fraction)", allowed: "at least 0 and below 1"))
        }
        let parts = Self.parts(of: corpus, fraction: validation == nil ? fraction : 0)
        var vocabulary = given ?? Vocabulary(of: parts.training, in: corpus, minimumCount: minimumCount)
        if let known { vocabulary = known.extended(by: vocabulary) }
        guard !vocabulary.symbols.isEmpty || parts.training.isEmpty else {
            throw .badOption(
                ConfigurationError(
                    name: "min-count", value: "\(minimumCount)", allowed: "at most the count of the commonest symbol"))
        }
        self.vocabulary = vocabulary
        training = EncodedText(parts.training, of: corpus, vocabulary: vocabulary)
        trainingCharacters = corpus.characters(in: parts.training)
        isInFile = corpus.isInFile && corpus.records == nil
        let other = validation ?? corpus
        let validating =
            validation.map { $0.records == nil ? $0.files.map(\.tokens) : $0.recordRanges } ?? parts.validation
        validationRecords = other.records == nil ? 0 : validating.count
        trainingRecords = corpus.records == nil ? 0 : parts.training.count
        self.validation =
            validating.isEmpty ? nil : EncodedText(validating, of: other, vocabulary: vocabulary)
        validationCharacters = other.characters(in: validating)
        if let validation, corpus.records != nil {
            let known = Set(parts.training.map { corpus.contentHash(of: $0) })
            repeatedRecords = validating.filter { known.contains(validation.contentHash(of: $0)) }.count
        } else {
            repeatedRecords = 0
        }
    }

    /// The parts of a corpus that train and validate: of records, those whose content hashes below the fraction validate, so
    /// that a record stays where it is when others come, and equal ones stay together; of other texts, the end.
    private static func parts(
        of corpus: Corpus, fraction: Double?
    ) -> (training: [Range<Int>], validation: [Range<Int>]) {
        let limit = Double(defaultValidationLimit) / Double(max(1, corpus.count))
        let records = corpus.recordRanges
        if records.count > 1 {
            let share = UInt64((fraction ?? min(0.1, limit)) * 0x1p53)
            var parts: (training: [Range<Int>], validation: [Range<Int>]) = ([], [])
            for record in records {
                if corpus.contentHash(of: record) >> 11 < share {
                    parts.validation.append(record)
                } else {
                    parts.training.append(record)
                }
            }
            return parts
        }
        var split = Int((1 - (fraction ?? 0.1)) * Double(corpus.count))
        if fraction == nil { split = max(split, corpus.count - defaultValidationLimit) }
        let whole = corpus.files.map(\.tokens)
        func cut(_ part: Range<Int>) -> [Range<Int>] { whole.map { $0.clamped(to: part) }.filter { !$0.isEmpty } }
        return (cut(0..<split), cut(split..<corpus.count))
    }
}

extension Corpus {
    /// A hash of what the tokens of a record spell (FNV-1a, mixed): the same in every corpus.
    fileprivate func contentHash(of record: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for position in record where self[position] != Self.endOfRecord {
            for byte in symbols[self[position]].bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        var generator = SplitMix64(seed: hash)
        return generator.next()
    }
}

extension Corpus {
    /// What to call it in a message.
    public var name: String { files.count == 1 ? files[0].name : "the text of \(files.count) files" }
}
