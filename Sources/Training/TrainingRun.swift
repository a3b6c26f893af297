import CharacterModel
import Concurrency
import FoundationEssentials
import Glibc
import RecurrentNetwork
import Synchronization
import Tokenization

/// A training run, from texts to a model, that does not block any actor.
///
///     var options = TrainingOptions()
///     options.budget = .seconds(60)
///     let run = try TrainingRun(
///         on: [.file(path: "poems.txt")], options: options, output: .init(path: "checkpoints/poems.safetensors"))
///     Task {
///         for await event in run.events {
///             if case .validation(let report) = event { print(report.step, report.bitsPerCharacter) }
///         }
///     }
///     let model = try await run.train()
///
/// Nothing is trained before ``train()`` is called. The texts are read by `init`, on the caller's thread. Options that are not set are chosen as by the `train` command. The same options, texts and seed give a bit-identical
/// model with any number of threads; only a time limit makes runs differ.
public final class TrainingRun: Sendable {
    /// The shape of the model.
    public let configuration: ModelConfiguration
    /// Where the best model is saved.
    public let modelPath: String
    /// Where the state for a resumed run is saved.
    public let statePath: String
    /// The events of the run, as they happen; ends when ``train()`` does. Events are buffered until read. With two
    /// readers, each event goes to one of them.
    public let events: AsyncStream<TrainingEvent>
    private let continuation: AsyncStream<TrainingEvent>.Continuation
    /// Used only by the thread that holds the lock.
    private let trainer: Mutex<Trainer>
    private let isCancelled = Flag()

    /// Reads texts and prepares training a new model on them.
    ///
    /// - Parameters:
    ///   - sources: the texts; their end is used for validation unless `options.validation` names another text.
    ///   - options: values that are not set are recommended.
    ///   - output: where the model is saved; an existing model is kept under a numbered name.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Throws: `TrainingError`: a text that cannot be read or is too short, an option out of its range, an output that cannot be
    ///   written.
    public convenience init(
        on sources: [TextSource], options: TrainingOptions = TrainingOptions(), output: Trainer.Output,
        threads: Int? = nil
    ) throws(TrainingError) {
        do {
            try Self.refuse(sources, writing: [output.path, output.lastPath])
            let data = try TrainingData(reading: sources, options: options)
            let (events, continuation) = AsyncStream<TrainingEvent>.makeStream()
            let trainer = try Trainer(on: data, options: options, output: output, threads: threads) {
                continuation.yield($0)
            }
            self.init(trainer, events, continuation)
        } catch {
            throw TrainingError(error)
        }
    }

    /// Prepares to resume a stopped training run exactly.
    ///
    /// - Parameters:
    ///   - statePath: the `NAME.last.safetensors` that the run saved.
    ///   - sources: the texts, if they have moved, or were given as text in memory.
    ///   - validation: the validation text, likewise.
    ///   - budget: a new total budget for all runs.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Throws: `TrainingError.corpusChanged` if the texts differ, and the errors of a new training run.
    public convenience init(
        resuming statePath: String, on sources: [TextSource]? = nil, validation: TextSource? = nil,
        budget: TrainingBudget? = nil, threads: Int? = nil
    ) throws(TrainingError) {
        do {
            let checkpoint = try Checkpoint(contentsOf: statePath, withState: true)
            guard var record = checkpoint.training, statePath.hasSuffix(Self.stateSuffix) else {
                throw CheckpointError.noTrainingState(path: statePath)
            }
            record.options.budget = budget ?? record.options.budget
            let data = try TrainingData(reading: sources, validation: validation, resuming: checkpoint, &record)
            let (events, continuation) = AsyncStream<TrainingEvent>.makeStream()
            let trainer = try Trainer(
                checkpoint.configuration, data: data, record: record,
                output: Trainer.Output(path: statePath.dropLast(Self.stateSuffix.count) + ".safetensors"),
                threads: try Trainer.checked(threads), resuming: checkpoint
            ) { continuation.yield($0) }
            self.init(trainer, events, continuation)
        } catch {
            throw TrainingError(error)
        }
    }

    private static let stateSuffix = ".last.safetensors"

    /// Refuses outputs that are inputs.
    private static func refuse(_ sources: [TextSource], writing paths: [String]) throws(CheckpointError) {
        func identity(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        for case .file(let path) in sources {
            if let output = paths.first(where: { identity($0) == identity(path) }) {
                throw .cannotCreate(path: output, reason: "it is one of the texts")
            }
        }
    }

    /// Ends the events of a run that is never started.
    deinit { continuation.finish() }

    private init(
        _ trainer: sending Trainer, _ events: AsyncStream<TrainingEvent>,
        _ continuation: AsyncStream<TrainingEvent>.Continuation
    ) {
        (configuration, modelPath, statePath) = (
            trainer.configuration, trainer.saver.output.path, trainer.saver.output.lastPath
        )
        (self.events, self.continuation) = (events, continuation)
        self.trainer = Mutex(trainer)
    }

    /// Trains on a separate thread until the budget is spent, and returns the best model by validation; without a
    /// validation part, the last one.
    ///
    /// If the task is cancelled, or ``cancel()`` is called, the step is finished and the state saved;
    /// `TrainingRun(resuming:)` continues from it. A second call continues too, without events.
    ///
    /// - Throws: `TrainingError.cancelled`; `.diverged` if the loss explodes repeatedly; `.checkpoint` if nothing can
    ///   be saved.
    public func train() async throws(TrainingError) -> LanguageModel {
        let result: Result<Trainer.Ending, TrainingError> = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                let work: @Sendable () -> Void = { [self] in waiting.resume(returning: run()) }
                if !startThread(work) { work() }
            }
        } onCancel: {
            cancel()
        }
        continuation.finish()
        guard try result.get() == .finished else { throw .cancelled(state: statePath) }
        do { return try LanguageModel(contentsOf: modelPath) } catch { throw TrainingError(error) }
    }

    /// Ends ``train()`` after the current step, with the state saved.
    public func cancel() { isCancelled.raise() }

    private func run() -> Result<Trainer.Ending, TrainingError> {
        trainer.withLock { [isCancelled] trainer in
            do throws(TrainingError) { return .success(try trainer.run(shouldStop: { isCancelled.isRaised })) } catch {
                return .failure(error)
            }
        }
    }
}

/// Something that happens once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }

    func raise() { value.store(true, ordering: .relaxed) }
}
