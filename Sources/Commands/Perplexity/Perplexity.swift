import ArgumentParser
import CharacterModel
import Cluster
import CommandSupport
import FoundationEssentials
import Glibc
import Reports
import Tokenization

/// The `perplexity` command: parse, call the model module, print.
public struct Perplexity: LaunchedCommand {
    private static let name = Invocation.current.name(of: "perplexity")

    public static let configuration = CommandConfiguration(
        commandName: Invocation.current.parserName(of: "perplexity"),
        abstract: "Measure how well a model predicts a text.",
        discussion: """
            Every symbol of the text is scored, given all before it. Figures per byte, character and word count the original \
            text, so models with different symbols can be compared.

            EXAMPLES:
              \(name) checkpoints/poems other.txt
              \(name) checkpoints/poems other.txt --baseline poems.txt --html page.html
              \(name) checkpoints/logs today.log --state line --format json
              \(name) checkpoints/poems other.txt --crops 256
              \(name) checkpoints/poems --info
            """,
        version: versionText)

    @Argument(help: "A model made by train.", completion: .file())
    var checkpoint: String

    @Argument(
        help: ArgumentHelp("Texts and folders of texts; - for the standard input.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    @Flag(help: "Shows what the model is and how it was trained, and measures nothing.")
    var info = false

    @Option(parsing: .unconditional, help: "A table to read, or JSON with every figure.")
    var format = Format.table

    @Option(parsing: .unconditional, help: "Where the model's state is reset: at each file, at each line, or never.")
    var state = StatePolicy.file

    @Option(
        parsing: .unconditional,
        help: "Writes the position, nats, rank and entropy of every symbol as tab-separated values.",
        completion: .file())
    var surprisal: String?

    @Option(
        parsing: .unconditional,
        help: "Writes a page for the browser: the text coloured by surprisal, and what was expected at each symbol.",
        completion: .file())
    var html: String?

    @Option(
        parsing: .unconditional,
        help: """
            Compares with n-grams of 1 to \(KneserNey.maximumOrder) symbols that are counted in a training text, a file or a \
            folder (Kneser-Ney). Of the text the model was trained on, only the training part is counted.
            """, completion: .file())
    var baseline: String?

    @OptionGroup(title: "Crops") var crops: CropOptions
    @OptionGroup(title: "Dynamic evaluation") var dynamic: DynamicOptions
    @OptionGroup(title: "Reading") var reading: ReadingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    public func validate() throws {
        if info && !files.isEmpty { throw ValidationError("--info does not measure; drop the texts") }
        if info && (surprisal != nil || html != nil || baseline != nil || dynamic.dynamic) {
            throw ValidationError("--info does not measure; drop the other options")
        }
        if crops.crops != nil
            && (state != .file || surprisal != nil || html != nil || baseline != nil || dynamic.dynamic)
        {
            throw ValidationError(
                "--crops does not go with --state, --surprisal, --html, --baseline or --dynamic; drop them, or --crops")
        }
        if info && crops.crops != nil { throw ValidationError("--info does not measure; drop --crops") }
        for (flag, path) in [("--surprisal", surprisal), ("--html", html)] {
            guard let path, path.hasSuffix(".safetensors") else { continue }
            throw ValidationError("\(flag) \(path) is the name of a model; name another file")
        }
        if let html, html == surprisal { throw ValidationError("--html and --surprisal name the same file; give two") }
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    public init() {}

    public func run() throws {
        if !info && files.isEmpty { throw ValidationError("name a text to measure") }
        if info {
            let (model, path) = (try LanguageModel(reading: checkpoint), LanguageModel.path(of: checkpoint))
            let card = ModelCard(model, path: path, bytes: fileSize(path))
            return try StandardOutput.write(format == .json ? try card.json() : columns(card.rows))
        }
        try asRank(threads: threads.count) { cluster in
            let (model, corpus) = try read(on: cluster)
            if crops.crops != nil {
                // Crops are few: rank 0 scores them.
                if cluster?.isLeader ?? true { try measureCrops(corpus, with: model) }
                return
            }
            guard cluster?.isLeader ?? true else {
                // Rank 0 gets the scores.
                _ = try model.evaluate(
                    corpus, state: state, threads: threads.count, on: cluster, predicts: writesSymbols)
                return
            }
            try measure(corpus, with: model, on: cluster)
        }
    }

    /// Reads the model and the texts, on every rank of a launch.
    private func read(on cluster: Cluster?) throws -> (LanguageModel, Corpus) {
        func read() throws -> (LanguageModel, Corpus) {
            let model = try LanguageModel(reading: checkpoint)
            let corpus = try reading.corpus(files, for: model)
            if cluster?.isLeader ?? true { try checkOutputs() }
            return (model, corpus)
        }
        guard let cluster else { return try read() }
        return try cluster.together(
            describe: failure,
            facts: { model, corpus in
                [Cluster.Fact("model", model.fingerprint), Cluster.Fact("text", corpus.sha256)]
            }, read)
    }

    private func checkOutputs() throws {
        let texts = files + [baseline, dynamic.dynamicTune].compactMap(\.self)
        let model = TextSource.file(path: LanguageModel.path(of: checkpoint))
        try refuseOverwriting(TextSource.sources(at: texts) + [model], with: [surprisal, html])
        for path in [surprisal, html].compactMap(\.self) { try checkWritable(path) }
    }

    private var writesSymbols: Bool { surprisal != nil || html != nil }

    private func measureCrops(_ corpus: Corpus, with model: LanguageModel) throws {
        let checkpoint = LanguageModel.path(of: checkpoint)
        warnIfTrainedOn(corpus, model)
        guard
            let report = try crops.report(on: corpus, with: model, checkpoint: checkpoint, threads: threads.count)
        else { return }
        try StandardOutput.write(format == .json ? try report.json() : report.table())
    }

    private func warnIfTrainedOn(_ corpus: Corpus, _ model: LanguageModel) {
        guard model.training?.corpus.sha256 == corpus.sha256 else { return }
        StandardError.print("warning: this is the text the model was trained on; figures for other texts will be worse")
    }

    private func measure(
        _ corpus: Corpus, with model: LanguageModel, on cluster: Cluster?
    ) throws {
        let checkpoint = LanguageModel.path(of: checkpoint)
        let counted = try baseline.map {
            try reading.baseline($0, for: model, toScore: corpus).evaluate(corpus, state: state)
        }
        warnIfTrainedOn(corpus, model)
        let other = try dynamic.readTuningText(besides: corpus) { try reading.corpus($0, for: model) }
        let pictures = try Pictures(corpus, model, table: surprisal, page: html)
        let evaluation = try model.evaluate(
            corpus, state: state, threads: threads.count, on: cluster, predicts: writesSymbols,
            progress: ScoringProgress(of: corpus.count).report,
            perSymbol: pictures.areWanted ? pictures.add : nil)
        let adapted = try dynamic.evaluate(corpus, with: model, state: state, threads: threads.count, tuningOn: other)
        warnAboutUnknownSymbols(evaluation.total)
        let report = EvaluationReport(
            evaluation, model: model, checkpoint: checkpoint, state: state, sha256: corpus.sha256,
            baseline: counted, dynamic: adapted)
        try pictures.finish(title: "How \(fileName(checkpoint)) reads \(fileName(corpus.name))", report)
        try StandardOutput.write(format == .json ? try report.json() : report.table())
        if let html { StandardError.print("the page is \(quoted(html))") }
    }

    private func warnAboutUnknownSymbols(_ total: TextEvaluation.File) {
        guard 20 * total.unknownTokens > total.likelihood.tokens else { return }
        StandardError.print(
            "warning: the model does not know \(formatted(total.unknownTokens)) of "
                + "\(formatted(total.likelihood.tokens)) symbols; is this the kind of text it was trained on "
                + "(line ends: --newlines)?")
    }
}
