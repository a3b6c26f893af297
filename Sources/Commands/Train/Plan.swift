import CharacterModel
import CommandSupport
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Tokenization
import Training

/// What a run will do, from the flags or from the checkpoint it resumes.
struct Plan {
    var files: [String]
    /// The requested options. A resumed run, and one that starts from a model's weights, adds what is known from that
    /// checkpoint.
    var options: TrainingOptions
    var record: TrainingRecord
    var output: Trainer.Output

    var unit: TextUnit { options.unit }
    var normalization: Normalization { options.normalization }
    var records: RecordSeparator? { options.recordSeparator }

    /// - Parameters:
    ///   - origin: the model whose weights the training starts from; its shape and units are used.
    ///   - ranks: how many processes share the training: they need lanes.
    init(new command: Train, from origin: Checkpoint?, ranks: Int = 1) throws {
        options = command.asked
        if ranks > 1 && command.training.batch == nil { options.batch = Recommendation.batch(ranks: ranks) }
        files = command.files
        if let origin { try Self.inherit(from: origin, into: &options) }
        try Self.checkUnusedOptions(command.asked, options.cell ?? .gru)
        if options.unit == .byte {
            options.normalization = .none
            guard command.reading.isEmpty else {
                throw UsageError("this model reads raw bytes; drop --encoding, --on-invalid and --newlines")
            }
        }
        try options.validate()
        record = TrainingRecord()
        record.options = options
        record.corpus.sources = files.map(Self.absolute)
        record.corpus.origin = command.output.from
        record.corpus.minimumCount = options.minCount
        record.corpus.format = options.textFormat
        record.corpus.validationFraction = options.validationFraction
        record.corpus.validationSource = options.validation.map(Self.absolute)
        output = Trainer.Output(path: command.output.output ?? Self.defaultPath(for: files))
        apply(command.output)
    }

    /// Everything that cannot change comes from the checkpoint; a flag with a different value is an error.
    init(resuming checkpoint: Checkpoint, _ command: Train) throws {
        guard let path = command.output.resume, let setup = checkpoint.setup else {
            throw CheckpointError.noTrainingState(path: command.output.resume ?? "")
        }
        let suffix = ".last.safetensors"
        guard path.hasSuffix(suffix) else {
            throw UsageError("\(path) must be named NAME\(suffix), as the best model is saved beside it; rename it")
        }
        output = Trainer.Output(path: path.dropLast(suffix.count) + ".safetensors")
        if let asked = command.output.output, asked != output.path {
            throw UsageError("--resume continues to write \(output.path); drop --output \(asked)")
        }
        record = setup.record
        files = command.files.isEmpty ? record.corpus.sources : command.files
        options = TrainingOptions(setup)
        // Files from before there was a choice were trained in float32.
        options.precision = options.precision ?? .float32
        let asked = command.asked
        var known = options
        known.validationFraction = options.validationFraction ?? 0.1
        try Self.refuse(asked, against: known, [.training, .weights], whose: "training", with: "--resume")
        try Self.checkUnusedOptions(asked, options.cell ?? .gru)
        // The file may have moved, but its content must be the same.
        if let validation = asked.validation, record.corpus.validationSource == nil {
            throw Self.refusal("validation", validation, "none", whose: "training", with: "--resume")
        }
        for option in OptionList.all where asked.isGiven(option) && option.fixedBy == .nothing {
            option.copy(from: asked, to: &options)
        }
        if command.training.hasBudget { options.budget = asked.budget }
        try options.validate()
        record.options = options
        // If texts have moved, the new paths are used.
        record.corpus.sources = files.map(Self.absolute)
        record.corpus.validationSource = options.validation.map(Self.absolute)
        apply(command.output)
    }

    /// Options that are not declared, and may differ from run to run.
    private mutating func apply(_ flags: OutputOptions) {
        output.checkpointEvery = flags.checkpointEvery?.seconds ?? output.checkpointEvery
        output.overwrites = flags.overwrite
        output.metricsPath = flags.metrics
        // A report is drawn from the metrics; without --metrics they are written beside the model.
        if flags.report != nil && output.metricsPath == nil && record.metricsPath == nil {
            let name = output.path.dropLast(".safetensors".count)
            let others = (1..<1_000).lazy.map { "\(name).\($0).jsonl" }
            let isFree = Self.canHoldMetrics(name + ".jsonl")
            output.metricsPath =
                isFree ? name + ".jsonl" : others.first { !FileManager.default.fileExists(atPath: $0) }
        }
        output.logEvery = flags.logEvery ?? output.logEvery
        output.measuresNoise = flags.noiseScale
    }

    /// Whether a file is missing, empty, or holds metrics, which training never overwrites.
    private static func canHoldMetrics(_ path: String) -> Bool {
        fileSize(path).map { $0 == 0 || (try? readMetrics(path)) != nil } ?? true
    }

    /// The weights of a model only fit its own shape and symbols; how it splits text and reads line ends is part of it
    /// too.
    private static func inherit(from origin: Checkpoint, into options: inout TrainingOptions) throws {
        let setup = TrainingSetup(
            configuration: origin.configuration, vocabulary: origin.vocabulary,
            record: origin.training ?? TrainingRecord())
        let theirs = TrainingOptions(setup)
        try refuse(options, against: theirs, [.weights], whose: "model", with: "--from")
        let kept = ["records", "newlines", "dropout", "weight-dropout", "ngram-dropout"]
        for option in OptionList.all where option.fixedBy == .weights || kept.contains(option.name) {
            if !options.isGiven(option) { option.copy(from: theirs, to: &options) }
        }
    }

    private static func refuse(
        _ asked: TrainingOptions, against stored: TrainingOptions, _ bonds: [OptionBond], whose: String,
        with flag: String
    ) throws {
        for option in OptionList.all where asked.isGiven(option) && bonds.contains(option.fixedBy) {
            let (theirs, ours) = (option.text(in: asked) ?? "none", option.text(in: stored) ?? "none")
            if theirs != ours { throw refusal(option.name, theirs, ours, whose: whose, with: flag) }
        }
    }

    /// Refuses options that the cell does not use.
    private static func checkUnusedOptions(_ asked: TrainingOptions, _ cell: CellKind) throws {
        for option in OptionList.all where asked.isGiven(option) && !cell.uses(option.name) {
            let others = CellKind.allCases.filter { $0.uses(option.name) }.map(\.rawValue)
            throw UsageError(
                "the \(cell.rawValue) cell does not use --\(option.name); drop it, or choose --cell "
                    + (others.count > 1 ? others.dropLast().joined(separator: ", ") + " or " : "") + (others.last ?? "")
            )
        }
    }

    private static func refusal(
        _ name: String, _ asked: String, _ stored: String, whose: String, with flag: String
    ) -> UsageError {
        // A flag of two forms has no value.
        let typed = asked == "no" ? "--no-\(name)" : asked == "yes" ? "--\(name)" : "--\(name) \(asked)"
        return UsageError(
            "\(typed) differs from the \(whose)'s \(stored); drop the flag, or start again without \(flag)")
    }

    /// The absolute path, independent of the current folder; `-` stays as it is. `..` after a link is left to the
    /// system.
    private static func absolute(_ path: String) -> String {
        path == "-" || path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func defaultPath(for files: [String]) -> String {
        let first = files.first.map { $0 == "-" ? "stdin" : $0 } ?? "model"
        let name = URL(fileURLWithPath: first).deletingPathExtension().lastPathComponent
        return "checkpoints/\(name).safetensors"
    }
}

extension Checkpoint {
    /// The training setup it records.
    var setup: TrainingSetup? {
        training.map { TrainingSetup(configuration: configuration, vocabulary: vocabulary, record: $0) }
    }
}
