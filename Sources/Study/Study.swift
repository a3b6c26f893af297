import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Tokenization
import Training

/// Measures what a lecture on recurrent networks says of them, on a text.
public final class Study {
    public let plan: StudyPlan
    let notebook: Notebook
    let corpus: Corpus
    /// Of the text's file, without folders.
    private let name: String
    /// Where models are kept while the study is made.
    let folder: String
    let threads: Int
    let say: (String) -> Void

    /// What a study is of.
    public struct Subject: Sendable {
        public var name: String
        /// Symbols, and how many different ones.
        public var characters: Int
        public var symbols: Int
        public var threads: Int
        /// Where the parts of the text are.
        public var folder: String
    }

    public var subject: Subject {
        Subject(
            name: name, characters: corpus.count, symbols: corpus.symbols.count, threads: threads,
            folder: folder)
    }

    /// - Parameters:
    ///   - path: the text.
    ///   - results: the file of results; what it has is not measured again.
    ///   - folder: for models and parts of texts, in a folder for each text and plan.
    ///   - program: the program's version, and the kind of the processor.
    ///   - say: called with a line about what is measured next.
    /// - Throws: `StudyError`, `TextError`.
    public init(
        of path: String, plan: StudyPlan, results: String, folder: String, threads: Int, program: String,
        say: @escaping (String) -> Void = { _ in }
    ) throws {
        corpus = try Corpus(reading: [.file(path: path)])
        let needed = 4_000
        guard corpus.count >= needed else { throw StudyError.tooShort(symbols: corpus.count, needed: needed) }
        (self.plan, self.threads, self.say) = (plan, threads, say)
        self.folder = "\(folder)/\(plan.name)-\(corpus.sha256.prefix(8))"
        name = URL(fileURLWithPath: path).lastPathComponent
        try makeFolder(of: "\(self.folder)/file")
        notebook = try Notebook(
            at: results,
            about: .init(
                plan: plan.name, text: name, sha256: corpus.sha256, threads: threads, program: program))
    }

    /// Measures whatever is not known yet.
    public func run() throws -> [String: Notebook.Page] {
        try compareCells()
        try measureContext()
        try measureGradientFlow()
        try explode()
        try recall()
        try measureCost()
        try overfit()
        try varyRates()
        try measureParallelism()
        return notebook.pages
    }

    /// A result, by name; measured, after telling so, unless it is known.
    func page(_ name: String, measure: () throws -> Notebook.Page) throws -> Notebook.Page {
        try notebook.page(name) {
            say(name)
            return try measure()
        }
    }

    /// The part of the text that no training sees: its last tenth, or less of a long text.
    var held: Range<Int> { max(corpus.count * 9 / 10, corpus.count - 200_000)..<corpus.count }

    /// The beginning of the training part, one of so many parts of it, validated on the text's last tenth.
    func data(dividedBy divisor: Int = 1) throws -> TrainingData {
        try data(file("train-\(divisor)", 0..<held.lowerBound / divisor))
    }

    /// A beginning that a network soon knows by heart.
    func fewData() throws -> TrainingData { try data(file("train-few", 0..<min(held.lowerBound, 20_000))) }

    private func data(_ training: String) throws -> TrainingData {
        var options = TrainingOptions()
        (options.validation, options.counts) = (try file("validation", held), false)
        return try TrainingData(reading: [.file(path: training)], options: options)
    }

    /// The text that no training sees, as a model reads it.
    func heldText(_ model: LanguageModel) throws -> Corpus {
        try model.corpus(reading: [.file(path: file("validation", held))])
    }

    private func file(_ name: String, _ symbols: Range<Int>) throws -> String {
        let path = "\(folder)/\(name).txt"
        if !FileManager.default.fileExists(atPath: path) {
            let bytes = symbols.flatMap { corpus.symbols[corpus[$0]].bytes }
            try AtomicFile.replace(path, with: String(decoding: bytes, as: UTF8.self))
        }
        return path
    }

    /// The model whose parameters others match.
    func reference(_ data: TrainingData) throws -> ModelConfiguration {
        let reference = StudyCase("reference", cell: .gru, units: plan.units, seconds: 1, seed: 1)
        return try ModelConfiguration(reference.options, data: data)
    }
}
