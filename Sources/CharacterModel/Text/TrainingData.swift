import Foundation
import RecurrentNetwork
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
    public var restarts: Bool { training.restarts }
    /// Records in each part; 0 for a text without records.
    public let trainingRecords: Int
    public let validationRecords: Int
    /// Records of a validation text of its own that stand in the training text too.
    public let repeatedRecords: Int
    public var trainingSymbols: Int { training.count }
    public var validationSymbols: Int { validation?.count ?? 0 }
    /// Symbols of the validation part that the training part does not hold.
    public var validationUnknowns: Int { validation?.unknownCount ?? 0 }

    /// The names of the training text's files, and the SHA-256 of its bytes and of those of a validation text of its own.
    public let sources: [String]
    public let sha256: String
    public let validationSHA256: String?
    private let validationName: String?
    private let fraction: Double?
    private let minimumCount: Int

    /// What a checkpoint says of the text, where nobody has said more.
    package func describe(in record: inout CorpusRecord) {
        guard record.sha256.isEmpty else { return }
        record.sources = sources.map(absolutePath)
        (record.sha256, record.validationSHA256) = (sha256, validationSHA256)
        (record.validationSource, record.validationFraction) = (validationName.map(absolutePath), fraction)
        record.minimumCount = minimumCount
    }

    /// The most symbols that validate when no fraction is asked for.
    public static let defaultValidationLimit = 1_000_000

    /// Parts a corpus: the first symbols train, the contiguous tail validates, unless another corpus does.
    ///
    /// - Parameters:
    ///   - corpus: the text.
    ///   - validation: a text that validates in place of the tail.
    ///   - fraction: the part that validates, at least 0 and below 1; nil: a tenth, at most 1,000,000 symbols.
    ///   - minimumCount: symbols that the training part holds fewer times become unknown.
    ///   - given: the vocabulary of a resumed training; nil to build one from the training part.
    ///   - known: symbols that the vocabulary has in any case.
    /// - Throws: `TextError.empty`; `ConfigurationError` for a fraction out of its range, or a count that leaves no symbol.
    public init(
        _ corpus: Corpus, validation: Corpus? = nil, fraction: Double? = nil, minimumCount: Int = 1,
        vocabulary given: Vocabulary? = nil, extending known: Vocabulary? = nil
    ) throws {
        guard corpus.count > 0 else { throw TextError.empty(path: corpus.name) }
        if let validation, validation.count == 0 { throw TextError.empty(path: validation.name) }
        if let fraction, !(fraction >= 0 && fraction < 1) {
            throw ConfigurationError(
                name: "validation-fraction", value: "\(fraction)", allowed: "at least 0 and below 1")
        }
        let parts = Self.parts(of: corpus, fraction: validation == nil ? fraction : 0)
        var vocabulary = given ?? Vocabulary(of: parts.training, in: corpus, minimumCount: minimumCount)
        if let known { vocabulary = known.extended(by: vocabulary) }
        guard !vocabulary.symbols.isEmpty || parts.training.isEmpty else {
            throw ConfigurationError(
                name: "min-count", value: "\(minimumCount)", allowed: "at most the count of the commonest symbol")
        }
        self.vocabulary = vocabulary
        training = EncodedText(parts.training, of: corpus, vocabulary: vocabulary)
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

    /// How many records of a text also stand in another one.
    private static func records(of text: Corpus, alsoIn other: Corpus) -> Int {
        var counts: [UInt64: Int] = [:]
        text.forEachRecord { _, hash in counts[hash, default: 0] += 1 }
        var repeated = 0
        other.forEachRecord { _, hash in repeated += counts.removeValue(forKey: hash) ?? 0 }
        return repeated
    }

    /// The parts of a corpus that train and validate: of records, those whose content hashes below the fraction validate, so
    /// that a record stays where it is when others come, and equal ones stay together; of other texts, the end.
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
    /// Appends a range, to the last one where they join.
    fileprivate mutating func join(_ range: Range<Int>) {
        if let last, last.upperBound == range.lowerBound {
            self[count - 1] = last.lowerBound..<range.upperBound
        } else {
            append(range)
        }
    }
}

extension Corpus {
    /// What to call it in a message.
    public var name: String { files.count == 1 ? files[0].name : "the text of \(files.count) files" }
}

/// The path of a file from the root; what is no file keeps its name.
private func absolutePath(_ name: String) -> String {
    guard !name.hasPrefix("/"), FileManager.default.fileExists(atPath: name) else { return name }
    return FileManager.default.currentDirectoryPath + "/" + name
}
