import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Tokenization

extension TrainingData {
    /// Reads texts according to options, and splits them.
    ///
    /// - Throws: `TextError`, `ConfigurationError`.
    public init(reading sources: [TextSource], options: TrainingOptions) throws {
        try options.validate()
        let corpus = try Corpus(reading: sources, options: options)
        let validation = try options.validation.map { try Corpus(reading: [.file(path: $0)], options: options) }
        try self.init(
            corpus, validation: validation, fraction: options.validationFraction, minimumCount: options.minCount,
            counts: Recommendation.countsNGrams(options, symbols: corpus.count))
        self.sources = sources.map(Self.recorded)
    }

    /// Reads the texts of a stopped training run.
    ///
    /// - Parameter sources: where the texts are now; nil: where they were.
    /// - Throws: `TrainingError.corpusChanged` if the texts have changed.
    init(
        reading sources: [TextSource]?, validation: TextSource?, resuming checkpoint: Checkpoint,
        _ record: inout TrainingRecord
    ) throws {
        let setup = TrainingSetup(
            configuration: checkpoint.configuration, vocabulary: checkpoint.vocabulary, record: record)
        let options = TrainingOptions(setup)
        let sources = try sources ?? TextSource.sources(at: record.corpus.sources)
        let corpus = try Corpus(reading: sources, options: options)
        let other = validation ?? record.corpus.validationSource.map { .file(path: $0) }
        let validating = try other.map { try Corpus(reading: [$0], options: options) }
        guard corpus.sha256 == record.corpus.sha256 else { throw TrainingError.corpusChanged(name: corpus.name) }
        guard validating?.sha256 == record.corpus.validationSHA256 else {
            throw TrainingError.corpusChanged(name: validating?.name ?? "the validation text")
        }
        try self.init(
            corpus, validation: validating, fraction: record.corpus.validationFraction,
            minimumCount: record.corpus.minimumCount, vocabulary: checkpoint.vocabulary,
            counts: record.options.counts ?? false)
        record.corpus.sources = sources.map(Self.recorded)
        record.corpus.validationSource = other.map(Self.recorded)
    }

    /// How a record names a source: a file by its absolute path.
    private static func recorded(_ source: TextSource) -> String {
        guard case .file(let path) = source, !path.hasPrefix("/") else { return source.name }
        return FileManager.default.currentDirectoryPath + "/" + path
    }
}

extension Corpus {
    /// Reads texts according to options: unit, normal form, charset, line ends, records.
    ///
    /// - Parameters:
    ///   - sources: the texts.
    ///   - options: the training options.
    ///   - cache: a folder that caches the tokens of files.
    /// - Throws: `TextError` if a text cannot be read or decoded.
    public init(
        reading sources: [TextSource], options: TrainingOptions, cache: String? = nil
    ) throws(TextError) {
        try self.init(
            reading: sources, unit: options.unit, normalization: options.normalization, format: options.textFormat,
            records: options.recordSeparator, cache: cache)
    }
}

extension TrainingRecord {
    /// The record of a new training run, with recommended values for options that are not set.
    init(_ options: TrainingOptions, _ configuration: ModelConfiguration, _ data: TrainingData) {
        self.init()
        self.options = options
        self.options.choose(Recommendation(options, for: configuration, data: data))
        corpus.format = options.textFormat
    }
}

extension TrainingOptions {
    /// How the bytes of texts are read.
    package var textFormat: TextFormat {
        var format = TextFormat()
        format.encoding = TextEncoding(name: self.encoding)
        format.onInvalid = self.onInvalid
        format.newlines = self.newlines
        return format
    }

    /// What separates records; nil for a text without records.
    public var recordSeparator: RecordSeparator? {
        get { self.records == "none" ? nil : RecordSeparator(name: self.records) }
        set { self.records = newValue?.name ?? "none" }
    }
}
