import ArgumentParser
import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// The `perplexity` command: parse, call the model module, print.
struct Perplexity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity", abstract: "Measure how well a model predicts a text.",
        discussion: """
            Every symbol of the text is scored, given all before it. Figures per bit, character and word count the original \
            text, so models with different symbols can be compared.
            """,
        version: escribaVersion)

    @Argument(help: "A model made by train.")
    var checkpoint: String

    @Argument(help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"))
    var files: [String] = []

    @Flag(help: "Tells what the model is and how it came to be, and measures nothing.")
    var info = false

    @Option(parsing: .unconditional, help: "A table to read, or JSON with every figure.")
    var format = Format.table

    @Option(parsing: .unconditional, help: "Where the model starts afresh: at each file, at each line, or never.")
    var state = StatePolicy.file

    @Option(
        parsing: .unconditional,
        help: "Writes every symbol's place, nats and rank, and the entropy there, as tab-separated values.")
    var surprisal: String?

    @Option(
        parsing: .unconditional,
        help: "Writes a page for the browser: the text coloured by surprisal, and what was expected at each symbol.")
    var html: String?

    @Option(
        parsing: .unconditional,
        help: """
            Compares with n-grams of 1 to \(KneserNey.maximumOrder) symbols that are counted in a training text, a file or a \
            folder (Kneser-Ney). Of the text the model was trained on, only the training part is counted.
            """)
    var baseline: String?

    @OptionGroup(title: "Dynamic evaluation") var dynamic: DynamicOptions
    @OptionGroup(title: "Reading") var reading: ReadingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    func validate() throws {
        if info != files.isEmpty {
            throw ValidationError(info ? "--info measures nothing; drop the texts" : "name a text to measure")
        }
        if info && (surprisal != nil || html != nil || baseline != nil || dynamic.dynamic) {
            throw ValidationError("--info measures nothing; drop the other options")
        }
        for (flag, path) in [("--surprisal", surprisal), ("--html", html)] {
            guard let path, path.hasSuffix(".safetensors") else { continue }
            throw ValidationError("\(flag) \(path) is the name of a model; name another file")
        }
        if let html, html == surprisal { throw ValidationError("--html and --surprisal are one file; name two") }
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    func run() throws {
        let model = try LanguageModel(reading: checkpoint)
        if info { return try StandardOutput.write(columns(ModelCard(model, path: checkpoint).rows)) }
        let (unit, normalization) = (model.vocabulary.unit, model.vocabulary.normalization)
        if unit == .byte && !reading.isEmpty {
            throw UsageError("this model reads bytes as they are; drop --encoding, --on-invalid and --newlines")
        }
        // Line ends are part of how the model reads; the charset is the file's own.
        var known = TextFormat()
        known.newlines = model.training?.corpus.format.newlines ?? known.newlines
        func read(_ arguments: [String]) throws -> Corpus {
            let corpus = try Corpus(
                arguments: arguments, unit: unit, normalization: normalization, format: reading.format(or: known),
                records: model.vocabulary.records, cache: reading.cache)
            corpus.reportReading()
            guard corpus.count > 0 else { throw TrainingError.emptyText(name: corpus.name) }
            return corpus
        }
        let corpus = try read(files)
        let texts = files + [baseline, dynamic.dynamicTune].compactMap(\.self)
        try refuseOverwriting(TextSource.sources(at: texts) + [.file(path: checkpoint)], with: [surprisal, html])
        for path in [surprisal, html].compactMap(\.self) { try proveWritable(path) }
        let counted = try baseline.map { path in
            let text = try read([path])
            let baseline = try Baseline(text, for: model)
            StandardError.print(
                "n-grams: counted in \(formatted(baseline.symbols)) symbols of \(path)"
                    + (baseline.isTrainingPart ? ", the part the model was trained on" : ""))
            return baseline.evaluate(corpus, state: state)
        }
        if model.training?.corpus.sha256 == corpus.sha256 {
            StandardError.print(
                "warning: this is the text the model was trained on; figures for other texts will be worse")
        }
        let other = try dynamic.readTuningText(besides: corpus, read)
        // Earlier files are given up once everything has been read.
        let table = try surprisal.map { try SurprisalTable(path: $0, files: corpus.files.map(\.name)) }
        let page = try html.map {
            try SurprisalPage(path: $0, files: corpus.files.map(\.name), vocabulary: model.vocabulary)
        }
        func take(_ surprisal: Surprisal) {
            table?.add(surprisal)
            page?.add(surprisal)
        }
        let evaluation = model.evaluate(
            corpus, state: state, threads: threads.count,
            perSymbol: table == nil && page == nil ? nil : take)
        guard let evaluation else { return }
        let adapted = dynamic.evaluate(
            corpus, with: model, state: state, threads: threads.count, tuningOn: other)
        if 20 * evaluation.total.unknownTokens > evaluation.total.likelihood.tokens {
            StandardError.print(
                "warning: the model does not know \(formatted(evaluation.total.unknownTokens)) of "
                    + "\(formatted(evaluation.total.likelihood.tokens)) symbols; is this the kind of text it was trained on "
                    + "(line ends: --newlines)?")
        }
        try table?.finish()
        let report = Report(
            evaluation, model: model, checkpoint: checkpoint, state: state, sha256: corpus.sha256,
            baseline: counted, dynamic: adapted)
        try page?.finish(title: "How \(checkpoint) reads \(corpus.name)", summary: report.rows)
        try StandardOutput.write(format == .json ? try report.json() : report.table())
    }
}

@main
enum Main {
    static func main() { Perplexity.runAndExit() }
}
