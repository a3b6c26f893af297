import RecurrentNetwork
import Tokenization

/// A corpus split into a training and a validation part, encoded with one vocabulary.
public struct TrainingData: Sendable {
    public let vocabulary: Vocabulary
    /// What the network is trained on.
    package let training: EncodedText
    /// The training part whole, if n-grams are counted in it.
    package let counted: EncodedText?
    /// What the network does not see of it, so that a gate can learn from it.
    package let held: [Range<Int>]
    package let validation: EncodedText?
    /// Characters of the original text in each part.
    public let trainingCharacters: Int
    public let validationCharacters: Int

    /// Whether the state is reset within the training text.
    public var restarts: Bool { training.restarts }
    /// Records in each part; 0 for a text without records.
    public let trainingRecords: Int
    public let validationRecords: Int
    /// Records of a separate validation text that also occur in the training text.
    public let repeatedRecords: Int
    public var trainingSymbols: Int { training.count }
    /// Symbols of the training part that only the n-grams and the gate learn from.
    public var heldSymbols: Int { held.reduce(0) { $0 + $1.count } }
    public var validationSymbols: Int { validation?.count ?? 0 }
    /// Symbols of the validation part that are missing from the training part.
    public var validationUnknowns: Int { validation?.unknownCount ?? 0 }

    /// The names of the training text's files, and the SHA-256 of its bytes and of those of a separate validation text.
    package var sources: [String]
    public let sha256: String
    public let validationSHA256: String?
    private let validationName: String?
    private let fraction: Double?
    private let minimumCount: Int

    /// Fills in a checkpoint's corpus record, unless it already describes a text.
    package func describe(in record: inout CorpusRecord) {
        guard record.sha256.isEmpty else { return }
        record.sources = sources
        (record.sha256, record.validationSHA256) = (sha256, validationSHA256)
        (record.validationSource, record.validationFraction) = (validationName, fraction)
        record.minimumCount = minimumCount
    }

    /// The maximum size of the validation part, in symbols, if no fraction is set.
    public static let defaultValidationLimit = 1_000_000

    /// Splits a corpus: the contiguous tail is the validation part, unless another corpus is given for that.
    ///
    /// - Parameters:
    ///   - corpus: the text.
    ///   - validation: a validation text to use instead of the tail.
    ///   - fraction: the validation fraction, at least 0 and below 1; nil: a tenth, at most 1,000,000 symbols.
    ///   - minimumCount: symbols that occur fewer times in the training part become unknown.
    ///   - given: the vocabulary of a resumed training run; nil to build one from the training part.
    ///   - known: symbols that are always in the vocabulary.
    ///   - counts: whether n-grams are counted too; a small part is then kept from the network.
    /// - Throws: `TextError.empty`; `ConfigurationError` for a fraction out of its range, or a count that leaves no symbol.
    public init(
        _ corpus: Corpus, validation: Corpus? = nil, fraction: Double? = nil, minimumCount: Int = 1,
        vocabulary given: Vocabulary? = nil, extending known: Vocabulary? = nil, counts: Bool = false
    ) throws {
        guard corpus.count > 0 else { throw TextError.empty(path: corpus.name) }
        if let validation, validation.count == 0 { throw TextError.empty(path: validation.name) }
        if let fraction, !(fraction >= 0 && fraction < 1) {
            throw ConfigurationError(
                name: "validation-fraction", value: "\(fraction)", allowed: "at least 0 and below 1")
        }
        guard minimumCount >= 1 else {
            throw ConfigurationError(name: "min-count", value: "\(minimumCount)", allowed: "at least 1")
        }
        let parts = Self.parts(of: corpus, fraction: validation == nil ? fraction : 0)
        var vocabulary = given ?? Vocabulary(of: parts.training, in: corpus, minimumCount: minimumCount)
        if let known { vocabulary = known.extended(by: vocabulary) }
        guard !vocabulary.symbols.isEmpty || parts.training.isEmpty else {
            throw ConfigurationError(
                name: "min-count", value: "\(minimumCount)", allowed: "at most the count of the most frequent symbol")
        }
        self.vocabulary = vocabulary
        let whole = EncodedText(parts.training, of: corpus, vocabulary: vocabulary)
        counted = counts ? whole : nil
        held = counts ? HeldPart(of: whole, vocabularySize: vocabulary.count).ranges : []
        training = held.isEmpty ? whole : whole.without(held)
        trainingCharacters = corpus.characters(in: parts.training)
        let other = validation ?? corpus
        let validating = validation?.files.map(\.tokens).filter { !$0.isEmpty } ?? parts.validation
        self.validation = validating.isEmpty ? nil : EncodedText(validating, of: other, vocabulary: vocabulary)
        validationCharacters = other.characters(in: validating)
        trainingRecords = corpus.recordCount(in: parts.training)
        validationRecords = other.recordCount(in: validating)
        (sources, sha256, validationSHA256) = (corpus.files.map(\.name), corpus.sha256, validation?.sha256)
        (validationName, self.fraction, self.minimumCount) = (validation?.name, fraction, minimumCount)
        repeatedRecords = validation.map { Self.records(of: $0, alsoIn: corpus) } ?? 0
    }

    /// How many records of a text also occur in another one.
    private static func records(of text: Corpus, alsoIn other: Corpus) -> Int {
        var counts: [UInt64: Int] = [:]
        text.forEachRecord { _, hash in counts[hash, default: 0] += 1 }
        var repeated = 0
        other.forEachRecord { _, hash in repeated += counts.removeValue(forKey: hash) ?? 0 }
        return repeated
    }

    /// The training and validation parts of a corpus. With records, those whose content hash is below the fraction are
    /// for validation, so that a record keeps its part when others are added, and equal records are in the same part.
    /// Otherwise the end of the text is.
    private static func parts(
        of corpus: Corpus, fraction: Double?
    ) -> (training: [Range<Int>], validation: [Range<Int>]) {
        let limit = Double(defaultValidationLimit) / Double(max(1, corpus.count))
        if corpus.recordCount(in: [0..<corpus.count]) > 1 {
            let share = UInt64((fraction ?? min(0.1, limit)) * 0x1p53)
            var parts: (training: [Range<Int>], validation: [Range<Int>]) = ([], [])
            corpus.forEachRecord { record, hash in
                if hash >> 11 < share { parts.validation.join(record) } else { parts.training.join(record) }
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

extension [Range<Int>] {
    /// Appends a range, or extends the last one if they are adjacent.
    fileprivate mutating func join(_ range: Range<Int>) {
        if let last, last.upperBound == range.lowerBound {
            self[count - 1] = last.lowerBound..<range.upperBound
        } else {
            append(range)
        }
    }
}

extension Corpus {
    /// The name used in messages.
    package var name: String { files.count == 1 ? files[0].name : "the text of \(files.count) files" }
}
