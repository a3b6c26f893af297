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
        help: "A folder that keeps the symbols of texts, so that a long text is read once. (default: none)")
    public var cache: String?

    public init() {}

    public func validate() throws {
        if encoding == "" { throw ValidationError("--encoding is empty; --encoding list names those there are") }
        if cache == "" { throw ValidationError("--cache is empty; name a folder") }
        if encoding == "list" { throw CleanExit.message(TextEncoding.available.joined(separator: "\n")) }
    }

    /// Whether nothing was said of what bytes mean.
    public var isEmpty: Bool { encoding == nil && onInvalid == nil && newlines == nil }

    /// The format asked for, with that of a training (or the defaults) for the rest.
    public func format(or known: TextFormat = TextFormat()) -> TextFormat {
        var format = known
        if let encoding { format.encoding = TextEncoding(name: encoding) }
        format.onInvalid = onInvalid ?? known.onInvalid
        format.newlines = newlines ?? known.newlines
        return format
    }
}

extension InvalidPolicy: ExpressibleByArgument {}
extension Newlines: ExpressibleByArgument {}

extension Corpus {
    /// Says how files were read, where that is more than taking them as UTF-8.
    public func reportReading() {
        switch caching {
        case .read: StandardError.print("\(formatted(count)) symbols came from the cache")
        case .rewritten: StandardError.print("what the cache held of this text was damaged; it was made anew")
        case .failed(let reason):
            StandardError.print("warning: the cache cannot keep this text: \(reason); going on without it")
        case .written, nil: break
        }
        for file in files {
            var parts: [String] = []
            let reading = file.reading
            if let encoding = reading.encoding, encoding != "UTF-8" {
                parts.append("read as \(encoding)" + (reading.confidence.map { " (confidence \($0) %)" } ?? ""))
            }
            if reading.invalid > 0 {
                parts.append("\(formatted(reading.invalid)) invalid sequences replaced or left out")
            }
            if reading.newlines > 0 { parts.append("\(formatted(reading.newlines)) line ends made LF") }
            if let disguise = reading.disguise {
                StandardError.print(
                    "warning: \(file.name) is \(disguise.rawValue), not plain text; what is read is its source. Convert it "
                        + "(\(disguise.converter))")
            }
            if !parts.isEmpty { StandardError.print("\(file.name): \(parts.joined(separator: ", "))") }
        }
    }
}

/// Says how far the reading of a long text has come, every 256 MB.
final class ReadingProgress {
    private var said = 0

    func report(_ bytes: Int) {
        guard bytes - said >= 256_000_000 else { return }
        said = bytes
        StandardError.print("read \(formatted(bytes: Double(bytes)))")
    }
}
