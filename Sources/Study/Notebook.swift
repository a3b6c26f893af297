import CharacterModel
import FoundationEssentials

/// The results of a study, written to a file one by one, so that a study that was interrupted goes on where it was.
public final class Notebook {
    /// What was measured, by its name.
    public private(set) var pages: [String: Page]
    private let path: String
    private let subject: Subject

    /// What results belong to; those of another text or plan are never mixed in.
    public struct Subject: Codable, Equatable, Sendable {
        public var plan: String
        public var text: String
        public var sha256: String
        public var threads: Int
        /// The program's version, and the kind of the processor.
        public var program: String

        public init(plan: String, text: String, sha256: String, threads: Int, program: String) {
            (self.plan, self.text, self.sha256) = (plan, text, sha256)
            (self.threads, self.program) = (threads, program)
        }
    }

    /// Numbers of one measurement, by what they are.
    public typealias Page = [String: [Double]]

    private struct Contents: Codable {
        var study: Subject
        var results: [String: Page]
    }

    /// Opens the notebook at a path, or begins one.
    ///
    /// - Throws: `StudyError` if there is a file that holds something else.
    public init(at path: String, about subject: Subject) throws {
        (self.path, self.subject) = (path, subject)
        guard FileManager.default.fileExists(atPath: path) else {
            pages = [:]
            return
        }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw StudyError.unreadable(path: path)
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let contents = try? decoder.decode(Contents.self, from: data) else {
            throw StudyError.unreadable(path: path)
        }
        guard contents.study == subject else { throw StudyError.otherStudy(path: path) }
        pages = contents.results
    }

    /// A result, measured unless it is known.
    public func page(_ name: String, measure: () throws -> Page) throws -> Page {
        if let known = pages[name] { return known }
        let page = try measure()
        pages[name] = page
        try save()
        return page
    }

    private func save() throws {
        let encoder = JSONEncoder()
        // A loss that exploded is a result.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data = try encoder.encode(Contents(study: subject, results: pages))
        try AtomicFile.replace(path, with: String(decoding: data, as: UTF8.self))
    }
}

/// What keeps a study from being made.
public enum StudyError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String)
    case otherStudy(path: String)
    case tooShort(symbols: Int, needed: Int)

    public var description: String {
        switch self {
        case .unreadable(let path): "\(path) does not hold the results of a study; move it away, or write elsewhere"
        case .otherStudy(let path):
            "\(path) holds the results of another text, plan, number of threads, program or processor; move it away, or write elsewhere"
        case .tooShort(let symbols, let needed): "the text has \(symbols) symbols; a study needs at least \(needed)"
        }
    }
}
