import ArgumentParser
import CharacterModel
import Concurrency
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Reports
import Tokenization

/// The options of every command.
public struct ThreadOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads to use. (default: all cores)")
    public var threads: Int?

    public init() {}

    public func validate() throws {
        guard threads.map({ (1...1_024).contains($0) }) ?? true else {
            throw ValidationError("--threads is \(threads!); it must be from 1 to 1024")
        }
    }

    public var count: Int { threads ?? Workers.cores }
}

/// Refuses outputs that are also inputs, and outputs that are the same file: a typo must not destroy a text or a model.
///
/// - Parameters:
///   - inputs: the files of folders, one by one.
///   - outputs: paths that are written.
public func refuseOverwriting(_ inputs: [TextSource], with outputs: [String?]) throws(UsageError) {
    func identity(_ status: stat) -> String { "\(status.st_dev):\(status.st_ino)" }
    func identity(_ path: String) -> String {
        var status = stat()
        if stat(path, &status) == 0 { return identity(status) }
        // What does not exist yet is known by its folder, which may be a link.
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard stat(folder(of: linkTarget(path)), &status) == 0 else {
            return URL(fileURLWithPath: path).standardizedFileURL.path
        }
        return identity(status) + "/" + name
    }
    var seen: [String: String] = [:]
    for input in inputs {
        switch input {
        case .file(let path): seen[identity(path)] = path
        case .standardInput:
            var status = stat()
            if fstat(0, &status) == 0 && status.st_mode & S_IFMT == S_IFREG { seen[identity(status)] = input.name }
        case .bytes: break
        }
    }
    for case let output? in outputs where !output.hasPrefix("/dev/") {
        if let other = seen.updateValue(output, forKey: identity(output)) {
            throw UsageError("\(output) would overwrite \(other); name another file")
        }
    }
}

/// A duration: 100ms, 90s, 3m or 2h; a plain number is in seconds.
public struct Duration: Sendable {
    public let seconds: Double

    /// - Throws: `ValidationError` for anything that is not a duration above 0.
    public init(parsing argument: String) throws {
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600)]
        let unit = units.first { argument.hasSuffix($0.suffix) } ?? ("", 1)
        guard let number = Double(argument.dropLast(unit.suffix.count)), number > 0, number.isFinite else {
            throw ValidationError("write 90s, 3m or 2h")
        }
        seconds = number * unit.seconds
    }
}

extension TextUnit: ExpressibleByArgument {}
extension Normalization: ExpressibleByArgument {}
extension CellKind: ExpressibleByArgument {}
extension Optimizer: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension Schedule: ExpressibleByArgument {}
extension StatePolicy: ExpressibleByArgument {}
extension Nonlinearity: ExpressibleByArgument {}

extension LanguageModel {
    /// Reads a checkpoint, and warns if this machine may split text differently from the one that trained it.
    ///
    /// - Parameter name: its path; `.safetensors` may be left out.
    public init(reading name: String) throws {
        let path = Self.path(of: name)
        try self.init(contentsOf: path)
        warnAboutUnicodeVersion(vocabulary, path)
    }
}

extension LanguageModel {
    /// The path of a model that may have been named without its ending.
    public static func path(of name: String) -> String {
        func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        return !isThere(name) && isThere(name + ".safetensors") ? name + ".safetensors" : name
    }
}

/// Warns if a different ICU split the training text.
public func warnAboutUnicodeVersion(_ vocabulary: Vocabulary, _ path: String) {
    let (theirs, ours) = (vocabulary.versions, UnicodeVersions.current)
    guard theirs != ours, !theirs.icu.isEmpty, !theirs.unicode.isEmpty else { return }
    StandardError.print(
        "warning: \(path) was trained with ICU \(theirs.icu) (Unicode \(theirs.unicode)); this is ICU "
            + "\(ours.icu) (Unicode \(ours.unicode)), which may split some texts differently")
}

extension Corpus {
    /// Reads the texts that arguments name.
    public init(
        arguments: [String], unit: TextUnit, normalization: Normalization, format: TextFormat = TextFormat(),
        records: RecordSeparator? = nil, cache: String? = nil
    ) throws {
        guard arguments.filter({ $0 == "-" }).count <= 1 else {
            throw UsageError("`-` is given twice, but the standard input can be read only once; drop one")
        }
        try self.init(
            reading: TextSource.sources(at: arguments) { StandardError.print("skipping \($0): it is \($1)") },
            unit: unit, normalization: normalization, format: format,
            records: records, cache: cache, progress: ReadingProgress().report)
    }
}

/// Checks that a file can be written before a long run, and leaves everything unchanged. Does not open pipes and
/// devices.
public func checkWritable(_ path: String) throws(CheckpointError) {
    var status = stat()
    let exists = stat(path, &status) == 0
    guard !exists || status.st_mode & S_IFMT != S_IFIFO && status.st_mode & S_IFMT != S_IFCHR else { return }
    guard let file = fopen(path, "a") else {
        throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
    }
    fclose(file)
    if !exists { unlink(path) }
}
