import CharacterModel
import CommandSupport
import Foundation
import Tokenization

/// What a run is to do, from the flags or from the checkpoint it goes on from.
struct Plan {
    var files: [String]
    var unit: TextUnit
    var normalization: Normalization
    var records: RecordSeparator?
    var record: TrainingRecord
    var output: Trainer.Output

    /// - Parameter origin: the model whose weights the training begins with; its shape and units hold.
    init(new command: Train, from origin: Checkpoint?) throws {
        let (text, training, validation) = (command.text, command.training, command.validation)
        files = command.files
        unit = origin?.vocabulary.unit ?? text.unit ?? .grapheme
        normalization = origin?.vocabulary.normalization ?? (unit == .byte ? .none : text.normalization ?? .nfc)
        records = text.records.map { $0 == "none" ? nil : RecordSeparator(name: $0) } ?? origin?.vocabulary.records
        record = TrainingRecord()
        record.corpus.sources = files
        record.corpus.origin = command.output.from
        record.corpus.minimumCount = text.minCount ?? 1
        // Line ends are part of how a model reads; the charset is the file's own.
        var known = TextFormat()
        known.newlines = origin?.training?.corpus.format.newlines ?? known.newlines
        record.corpus.format = command.reading.format(or: known)
        if unit == .byte && !command.reading.isEmpty {
            throw UsageError("this model reads bytes as they are; drop --encoding, --on-invalid and --newlines")
        }
        record.corpus.validationFraction = validation.validationFraction
        record.corpus.validationSource = validation.validation
        record.options.batch = training.batch ?? record.options.batch
        record.options.window = training.window ?? record.options.window
        record.options.optimizer = training.optimizer ?? record.options.optimizer
        record.options.learningRate = training.learningRate ?? record.options.learningRate
        record.options.schedule = training.schedule ?? record.options.schedule
        record.options.warmup = training.warmup ?? record.options.warmup
        record.options.weightDecay = training.weightDecay ?? record.options.weightDecay
        record.options.clip = training.clip ?? record.options.clip
        record.options.seed = training.seed ?? record.options.seed
        output = Trainer.Output(path: command.output.output ?? Self.defaultPath(for: files))
        takeOver(command)
        if let origin { try Self.refuseOtherShape(origin, command) }
    }

    /// Everything that cannot change comes from the checkpoint; a flag that says otherwise is an error.
    init(resuming checkpoint: Checkpoint, _ command: Train) throws {
        guard let path = command.output.resume, let saved = checkpoint.training else {
            throw CheckpointError.noTrainingState(path: command.output.resume ?? "")
        }
        record = saved
        files = command.files.isEmpty ? saved.corpus.sources : command.files
        unit = checkpoint.vocabulary.unit
        normalization = checkpoint.vocabulary.normalization
        records = checkpoint.vocabulary.records
        let suffix = ".last.safetensors"
        guard path.hasSuffix(suffix) else {
            throw UsageError("\(path) must be named NAME\(suffix), for the best model is kept beside it; rename it")
        }
        output = Trainer.Output(path: path.dropLast(suffix.count) + ".safetensors")
        try Self.refuseChanges(checkpoint, saved, command)
        // The file may have moved; what it holds may not have changed.
        record.corpus.validationSource = command.validation.validation ?? record.corpus.validationSource
        if let asked = command.output.output, asked != output.path {
            throw UsageError("--resume goes on writing \(output.path); drop --output \(asked)")
        }
        takeOver(command)
    }

    /// What may differ from run to run.
    private mutating func takeOver(_ command: Train) {
        record.options.budget = command.training.budget ?? record.options.budget
        record.options.evaluateEvery = command.validation.evaluateEvery ?? record.options.evaluateEvery
        record.options.patience = command.validation.patience ?? record.options.patience
        record.options.maxRecoveries = command.training.maxRecoveries ?? record.options.maxRecoveries
        output.checkpointEvery = command.output.checkpointEvery?.seconds ?? output.checkpointEvery
        output.metricsPath = command.output.metrics
        output.logEvery = command.output.logEvery ?? output.logEvery
    }

    private static func refuseChanges(_ checkpoint: Checkpoint, _ saved: TrainingRecord, _ command: Train) throws {
        try refuseOtherShape(checkpoint, command)
        let (model, options) = (checkpoint.configuration, saved.options)
        let (text, training) = (command.text, command.training)
        try same("--records", text.records, checkpoint.vocabulary.records?.name ?? "none")
        try same("--min-count", text.minCount, saved.corpus.minimumCount)
        let format = saved.corpus.format
        try same("--encoding", command.reading.encoding, format.encoding.name)
        try same("--on-invalid", command.reading.onInvalid?.rawValue, format.onInvalid.rawValue)
        try same("--newlines", command.reading.newlines?.rawValue, format.newlines.rawValue)
        try same("--dropout", command.model.dropout, model.dropout)
        try same("--weight-dropout", command.model.weightDropout, model.weightDropout)
        try same("--batch", training.batch, options.batch)
        try same("--window", training.window, options.window)
        try same("--optimizer", training.optimizer?.rawValue, options.optimizer.rawValue)
        try same("--learning-rate", training.learningRate, options.learningRate)
        try same("--schedule", training.schedule?.rawValue, options.schedule.rawValue)
        try same("--warmup", training.warmup, options.warmup)
        try same("--weight-decay", training.weightDecay, options.weightDecay)
        try same("--clip", training.clip, options.clip)
        try same("--seed", training.seed, options.seed)
        if let fraction = command.validation.validationFraction {
            try same("--validation-fraction", fraction, saved.corpus.validationFraction ?? 0.1)
        }
        if let validation = command.validation.validation, saved.corpus.validationSource == nil {
            try same("--validation", validation, "none")
        }
    }

    private static func same<Value: Equatable>(_ flag: String, _ asked: Value?, _ stored: Value) throws {
        guard let asked, asked != stored else { return }
        throw UsageError(
            "\(flag) \(asked) differs from the training's \(stored); drop the flag, or start anew without --resume")
    }

    /// The weights of a model fit its own shape and symbols only.
    private static func refuseOtherShape(_ checkpoint: Checkpoint, _ command: Train) throws {
        let (model, shape) = (checkpoint.configuration, command.model)
        func same<Value: Equatable>(_ flag: String, _ asked: Value?, _ stored: Value) throws {
            guard let asked, asked != stored else { return }
            let (whose, with) = command.output.from == nil ? ("training", "--resume") : ("model", "--from")
            throw UsageError(
                "\(flag) \(asked) differs from the \(whose)'s \(stored); drop the flag, or start anew without \(with)")
        }
        try same("--unit", command.text.unit?.rawValue, checkpoint.vocabulary.unit.rawValue)
        try same("--normalization", command.text.normalization?.rawValue, checkpoint.vocabulary.normalization.rawValue)
        try same("--cell", shape.cell?.rawValue, model.cell.rawValue)
        try same("--nonlinearity", shape.nonlinearity?.rawValue, model.nonlinearity.rawValue)
        try same("--layers", shape.layers, model.layers)
        try same("--hidden", shape.hidden, model.hidden)
        try same("--embedding", shape.embedding, model.embedding)
        try same("--tied", shape.tied, model.isTied)
    }

    private static func defaultPath(for files: [String]) -> String {
        let first = files.first.map { $0 == "-" ? "stdin" : $0 } ?? "model"
        let name = URL(fileURLWithPath: first).deletingPathExtension().lastPathComponent
        return "checkpoints/\(name).safetensors"
    }
}

extension TrainingRecord {
    /// The record with the hashes of the texts, which a resumed training must find unchanged.
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
