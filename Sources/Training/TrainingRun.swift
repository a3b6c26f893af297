import CharacterModel
import Foundation
import RecurrentNetwork
import Synchronization
import Tokenization

/// A training run, from texts to a model, that does not block any actor.
///
///     var options = TrainingOptions()
///     options.budget = .seconds(60)
///     let run = try TrainingRun(
///         on: [.file(path: "poems.txt")], options: options, output: .init(path: "checkpoints/poems.safetensors"))
///     async let model = run.model()
///     for await event in run.events {
///         if case .validation(let report) = event { print(report.step, report.bitsPerCharacter) }
///     }
///     print(try await model.vocabulary.count)
///
/// Options that are not set are chosen as by the `train` command. The same options, texts and seed give a bit-identical
/// model with any number of threads; only a time limit makes runs differ.
public final class TrainingRun: Sendable {
    /// The shape of the model.
    public let configuration: ModelConfiguration
    /// Where the best model is saved.
    public let modelPath: String
    /// Where the state for a resumed run is saved.
    public let statePath: String
    /// The events of the run, as they happen; ends with the training. Events are buffered until read. Only one reader
    /// is allowed.
    public let events: AsyncStream<TrainingEvent>
    private let continuation: AsyncStream<TrainingEvent>.Continuation
    /// Used only by the thread that holds the lock.
    private let trainer: Mutex<Trainer>

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
    ///   - sources: the texts, if they have moved.
    ///   - budget: a new total budget for all runs.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Throws: `TrainingError.corpusChanged` if the texts differ, and the errors of a new training run.
    public convenience init(
        resuming statePath: String, on sources: [TextSource]? = nil, budget: TrainingBudget? = nil, threads: Int? = nil
    ) throws(TrainingError) {
        do {
            let checkpoint = try Checkpoint(contentsOf: statePath, withState: true)
            guard var record = checkpoint.training, statePath.hasSuffix(Self.stateSuffix) else {
                throw CheckpointError.noTrainingState(path: statePath)
            }
            record.options.budget = budget ?? record.options.budget
            let data = try TrainingData(reading: sources, resuming: checkpoint, record)
            let (events, continuation) = AsyncStream<TrainingEvent>.makeStream()
            let trainer = try Trainer(
                checkpoint.configuration, data: data, record: record,
                output: Trainer.Output(path: statePath.dropLast(Self.stateSuffix.count) + ".safetensors"),
                threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, resuming: checkpoint
            ) { continuation.yield($0) }
            self.init(trainer, events, continuation)
        } catch {
            throw TrainingError(error)
        }
    }

    private static let stateSuffix = ".last.safetensors"

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

    /// Trains on a separate thread until the budget is spent, and returns the best model by validation.
    ///
    /// If the task is cancelled, the step is finished and the state saved; `TrainingRun(resuming:)` continues from it.
    ///
    /// - Throws: `TrainingError.cancelled`; `.diverged` if the loss explodes repeatedly; `.checkpoint` if nothing can
    ///   be saved.
    public func model() async throws(TrainingError) -> LanguageModel {
        let isCancelled = Flag()
        let result: Result<Trainer.Ending, TrainingError> = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                Thread { [self] in waiting.resume(returning: train { isCancelled.isRaised }) }.start()
            }
        } onCancel: {
            isCancelled.raise()
        }
        continuation.finish()
        guard try result.get() == .finished else { throw .cancelled(state: statePath) }
        do { return try LanguageModel(contentsOf: modelPath) } catch { throw TrainingError(error) }
    }

    private func train(until isCancelled: @Sendable () -> Bool) -> Result<Trainer.Ending, TrainingError> {
        trainer.withLock { trainer in
            do throws(TrainingError) { return .success(try trainer.run(shouldStop: isCancelled)) } catch {
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
