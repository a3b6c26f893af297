import ArgumentParser
import CharacterModel
import CommandSupport
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Reports
import Tokenization
import Training

/// Everything a run prepares before its first step: the texts are read, the shape is chosen, invalid input is refused.
struct Preparation {
    var plan: Plan
    let corpus: Corpus
    let data: TrainingData
    let adaptation: Adaptation?
    var configuration: ModelConfiguration
    var record: TrainingRecord
    /// How fast this machine trains, if that was measured.
    let speed: TrainingSpeed?
    /// The checkpoint to continue from, if there is one.
    var checkpoint: Checkpoint?

    /// - Parameter ranks: how many processes share the training.
    init(_ command: Train, ranks: Int = 1) throws {
        let output = command.output
        checkpoint = try output.resume.map { try Checkpoint(contentsOf: $0, withState: true) }
        let origin = try output.from.map { try Checkpoint(contentsOf: $0) }
        for (model, path) in [(checkpoint, output.resume), (origin, output.from)] {
            if let model, let path { warnAboutUnicodeVersion(model.vocabulary, path) }
        }
        plan = try checkpoint.map { try Plan(resuming: $0, command) } ?? Plan(new: command, from: origin, ranks: ranks)
        try Self.refuseOutputs(of: plan, command)
        func read(_ files: [String], _ plan: Plan) throws -> Corpus {
            let corpus = try Corpus(
                arguments: files, unit: plan.unit, normalization: plan.normalization, format: plan.record.corpus.format,
                records: plan.records, cache: command.reading.cache)
            if !output.quiet { corpus.reportReading() }
            return corpus
        }
        corpus = try read(plan.files, plan)
        let other = try plan.record.corpus.validationSource.map { [plan] in try read([$0], plan) }
        data = try TrainingData(
            corpus, validation: other, fraction: plan.record.corpus.validationFraction,
            minimumCount: plan.record.corpus.minimumCount, vocabulary: checkpoint?.vocabulary,
            extending: origin?.vocabulary,
            counts: checkpoint == nil
                ? Recommendation.countsNGrams(plan.options, symbols: corpus.count) : plan.options.counts ?? false)
        let isAsked = command.text.records != nil && output.resume == nil
        try Self.checkRecords(data, plan, isAsked: isAsked)
        try Self.checkValidation(data, plan)
        record = try plan.record.reading(corpus, validation: other, resumes: checkpoint != nil)
        speed = checkpoint == nil ? try Self.measureSpeed(plan.options, data, command, ranks: ranks) : nil
        if let checkpoint {
            (adaptation, configuration) = (nil, checkpoint.configuration)
        } else {
            adaptation = try origin.map { [data, plan] in
                try Adaptation(
                    $0, to: data.vocabulary, dropout: plan.options.dropout, weightDropout: plan.options.weightDropout,
                    ngramDropout: plan.options.ngramDropout, seed: plan.options.seed)
            }
            let fits = Self.memoryTest(plan.options, data, command, ranks: ranks)
            configuration =
                try adaptation?.configuration ?? ModelConfiguration(plan.options, data: data, speed: speed, fits: fits)
            record.options.counts = data.counted != nil
            record.options.choose(
                Recommendation(plan.options, data: data, speed: speed, fits: fits))
        }
        try checkMemory(threads: command.threads.count, ranks: ranks)
        try checkRanks(ranks)
    }

    /// Whether validations of this training tell how it ends: new weights, to the end of the budget, as most are trained.
    var canForesee: Bool {
        let options = record.options
        return checkpoint == nil && adaptation == nil && options.schedule == .cosine && options.patience == nil
            && [.adam, .adamw].contains(options.optimizer)
    }

    /// The options that were chosen because no flag sets them, as words of a command line.
    func chosen(_ asked: TrainingOptions) -> [String] {
        let setup = TrainingSetup(configuration: configuration, vocabulary: data.vocabulary, record: record)
        let options = TrainingOptions(setup)
        return OptionList.all.filter {
            $0.isRecommended && !asked.isGiven($0) && configuration.cell.uses($0.name)
                && !(configuration.isTied && $0.name == OptionList.declared.embedding.name)
        }.flatMap { $0.words(in: options) }
    }

    // MARK: Checks before the training starts

    /// An output that is an input, or cannot be made.
    private static func refuseOutputs(of plan: Plan, _ command: Train) throws {
        let output = command.output
        let texts = plan.files + [plan.record.corpus.validationSource].compactMap(\.self)
        let metrics = plan.output.metricsPath ?? plan.record.metricsPath
        try refuseOverwriting(
            TextSource.sources(at: texts + output.reportWith) + [output.from].compactMap { $0.map { .file(path: $0) } },
            with: [plan.output.path, plan.output.lastPath, metrics, output.report])
        if let path = output.report, !isFollower { try checkWritable(path) }
        _ = try output.reportWith.map(readMetrics)
    }

    /// A separator that separates nothing is a mistake, often a misspelt name. A text that is close to a name may be
    /// one too.
    private static func checkRecords(_ data: TrainingData, _ plan: Plan, isAsked: Bool) throws {
        guard let separator = plan.records, separator != .file else { return }
        let separatesNothing = data.trainingRecords + data.validationRecords < 2
        let names = ["line", "blank-line", "file", "none"].filter { $0 != separator.name }
        let near = names.first { distance($0, separator.name) <= 2 || $0.hasPrefix(separator.name) }
        let isName = RecordSeparator(name: separator.name) != .text(separator.name)
        let hint = near.flatMap { isName ? nil : "; did you mean \($0)?" }
        let name = separator.name.debugDescription
        guard isAsked else {
            if separatesNothing {
                StandardError.print("warning: \(name), the model's record separator, separates nothing in this text")
            }
            return
        }
        if separatesNothing {
            throw UsageError("--records \(name) separates nothing in this text" + (hint ?? "; give another one"))
        }
        if let hint { StandardError.print("warning: records are separated by the text \(name)\(hint)") }
    }

    private static func checkValidation(_ data: TrainingData, _ plan: Plan) throws {
        guard data.validationSymbols == 0 else { return }
        guard plan.record.options.patience == nil else {
            throw UsageError(
                "--patience needs a validation, and the validation part is empty; give --validation FILE")
        }
        guard plan.record.corpus.validationFraction != 0, plan.records != nil else { return }
        StandardError.print("warning: the validation part has no records; give --validation FILE, or more records")
    }

    /// Each rank needs lanes of its own.
    private func checkRanks(_ ranks: Int) throws {
        let options = record.options
        let batch = LaneSchedule.batch(options.batch, symbols: data.trainingSymbols, window: options.window)
        let groups = LaneGroups(batch: batch).ranges.count
        guard groups < ranks else { return }
        let needed = LaneGroups.smallestBatch(groups: ranks)
        let advice =
            checkpoint != nil ? "" : batch < options.batch ? " or lower --window" : " or give --batch \(needed) or more"
        let reason =
            batch < options.batch
            ? "the text has only \(batch) lanes of \(options.window) symbols" : "a batch has \(batch) lanes"
        throw UsageError("\(reason), too few for \(ranks) ranks; start \(groups) or fewer\(advice)")
    }

    /// How much a time limit reads; nil for other budgets. A tuning must begin with the same shape on every rank, and when it is
    /// resumed, so it measures nothing.
    private static func measureSpeed(
        _ options: TrainingOptions, _ data: TrainingData, _ command: Train, ranks: Int
    ) throws -> TrainingSpeed? {
        guard case .seconds = options.budget, command.training.tune == nil else { return nil }
        let speed = try TrainingSpeed.measured(
            options, vocabularySize: data.vocabulary.count, threads: command.threads.count)
        return speed.times(ranks)
    }

    /// Whether a model can be trained in the memory that is free now. A tuning that is resumed must begin with the same shape, so
    /// every model fits it.
    private static func memoryTest(
        _ options: TrainingOptions, _ data: TrainingData, _ command: Train, ranks: Int
    ) -> (ModelConfiguration) -> Bool {
        guard command.training.tune == nil, let free = availableMemory() else { return { _ in true } }
        var sized = options
        sized.precision = options.precision ?? Recommendation.precision
        return { memory($0, sized, data, threads: command.threads.count, ranks: ranks) <= free }
    }

    private static func memory(
        _ model: ModelConfiguration, _ options: TrainingOptions, _ data: TrainingData, threads: Int, ranks: Int
    ) -> Double {
        Trainer.memory(model, options: options, restarts: data.restarts, threads: threads, ranks: ranks)
    }

    /// The system promises more memory than it has. A model larger than free memory would be killed without a message.
    private func checkMemory(threads: Int, ranks: Int) throws {
        let needed = Self.memory(configuration, record.options, data, threads: threads, ranks: ranks)
        guard let free = availableMemory(), needed > free else { return }
        throw UsageError(
            "training this model takes \(formatted(bytes: needed)) and \(formatted(bytes: free)) of memory are free; "
                + "lower --hidden, --layers, --batch or --window")
    }
}

/// How many characters to add, drop or change to turn one text into the other (Levenshtein 1966).
func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, character) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == b[j] ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}

/// The lines of a metrics file.
func readMetrics(_ path: String) throws -> [MetricsLine] {
    guard let data = FileManager.default.contents(atPath: path) else {
        throw TextError.unreadable(path: path, reason: "it is not an existing metrics file")
    }
    return try MetricsLine.lines(of: data, name: path)
}

extension TrainingRecord {
    /// The record with the hashes of the texts, which must be the same in a resumed training.
    func reading(_ corpus: Corpus, validation: Corpus?, resumes: Bool) throws -> TrainingRecord {
        var record = self
        if resumes {
            guard corpus.sha256 == record.corpus.sha256 else { throw TrainingError.corpusChanged(name: corpus.name) }
            guard validation?.sha256 == record.corpus.validationSHA256 else {
                throw TrainingError.corpusChanged(name: validation?.name ?? "the validation text")
            }
        }
        record.corpus.sha256 = corpus.sha256
        record.corpus.validationSHA256 = validation?.sha256
        return record
    }
}
