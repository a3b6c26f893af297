import ArgumentParser
import CharacterModel
import Reports
import Tokenization

/// How texts are read, for the commands that read them.
public struct ReadingOptions: ParsableArguments {
    @Option(\.encoding) public var encoding: String?
    @Option(\.onInvalid) public var onInvalid: InvalidPolicy?
    @Option(\.newlines) public var newlines: Newlines?

    @Option(
        parsing: .unconditional,
        help: "A folder that caches the symbols of texts, so that a long text is read only once. (default: none)",
        completion: .directory)
    public var cache: String?

    public init() {}

    public func validate() throws {
        if encoding == "" { throw ValidationError("--encoding is empty; --encoding list shows the available ones") }
        if cache == "" { throw ValidationError("--cache is empty; name a folder") }
        if encoding == "list" { throw CleanExit.message(TextEncoding.available.joined(separator: "\n")) }
    }

    /// Whether no option says how to decode bytes.
    public var isEmpty: Bool { encoding == nil && onInvalid == nil && newlines == nil }

    /// The requested format; options that were not given come from the training, or are the defaults.
    public func format(or known: TextFormat = TextFormat()) -> TextFormat {
        var format = known
        if let encoding { format.encoding = TextEncoding(name: encoding) }
        format.onInvalid = onInvalid ?? known.onInvalid
        format.newlines = newlines ?? known.newlines
        return format
    }
}

extension ReadingOptions {
    /// Reads texts as a model reads them. Line ends are part of that; the charset is each file's own.
    ///
    /// - Parameter arguments: files and folders.
    public func corpus(_ arguments: [String], for model: LanguageModel) throws -> Corpus {
        let vocabulary = model.vocabulary
        if vocabulary.unit == .byte && !isEmpty {
            throw UsageError("this model reads raw bytes; drop --encoding, --on-invalid and --newlines")
        }
        let corpus = try Corpus(
            arguments: arguments, unit: vocabulary.unit, normalization: vocabulary.normalization,
            format: format(or: model.textFormat), records: vocabulary.records, cache: cache)
        corpus.reportReading()
        guard corpus.count > 0 else { throw TextError.empty(path: corpus.name) }
        return corpus
    }
}

extension InvalidPolicy: ExpressibleByArgument {}
extension Newlines: ExpressibleByArgument {}

extension Corpus {
    /// Reports how files were read, unless they were plain UTF-8.
    public func reportReading() {
        switch caching {
        case .read: StandardError.print("\(formatted(count)) symbols came from the cache")
        case .rewritten: StandardError.print("the cached symbols of this text were damaged; the cache was rebuilt")
        case .failed(let reason):
            StandardError.print("warning: this text cannot be cached: \(reason); continuing without the cache")
        case .written, nil: break
        }
        for file in files {
            var parts: [String] = []
            let reading = file.reading
            if let encoding = reading.encoding, encoding != "UTF-8" {
                parts.append("read as \(encoding)" + (reading.confidence.map { " (confidence \($0) %)" } ?? ""))
            }
            if reading.invalid > 0 {
                parts.append("\(formatted(reading.invalid)) invalid sequences replaced or skipped")
            }
            if reading.newlines > 0 { parts.append("\(formatted(reading.newlines)) line ends converted to LF") }
            if let disguise = reading.disguise {
                StandardError.print(
                    "warning: \(file.name) is \(disguise.rawValue), not plain text; its source is read. Convert it "
                        + "(\(disguise.converter))")
            }
            if !parts.isEmpty { StandardError.print("\(file.name): \(parts.joined(separator: ", "))") }
        }
    }
}

/// Reports the progress of reading a long text, every 256 MB.
final class ReadingProgress {
    private var said = 0

    func report(_ bytes: Int) {
        guard bytes - said >= 256_000_000 else { return }
        said = bytes
        StandardError.print("read \(formatted(bytes: Double(bytes)))")
    }
}
