import CharacterModel
import Foundation
import RecurrentNetwork
import Synchronization
import Tokenization

/// A training from texts to a model, which blocks no actor.
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
/// What `options` leaves open is chosen as the `train` command chooses it. The same options, texts and seed give the same model to
/// the bit, whatever the number of threads; only a time limit makes runs differ.
public final class TrainingRun: Sendable {
    /// The shape of the model.
    public let configuration: ModelConfiguration
    /// Where the best model is saved.
    public let path: String
    /// Where the state is saved that a resumed run goes on from.
    public let statePath: String
    /// What happens, as it happens; it ends with the training. Events wait in memory until they are read; one reader.
    public let events: AsyncStream<TrainingEvent>
    private let continuation: AsyncStream<TrainingEvent>.Continuation
    /// Used by the one thread that holds the lock.
    private let trainer: Mutex<Trainer>

    /// Reads texts, and prepares the training of a new model on them.
    ///
    /// - Parameters:
    ///   - sources: the texts; the end of them validates unless `options.validation` names another one.
    ///   - options: what nobody chooses is recommended.
    ///   - output: where the model is saved; one that is there already is kept under a numbered name.
    ///   - threads: of which the result does not depend; nil: one a core.
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

    /// Prepares to go on with a training that was stopped, exactly.
    ///
    /// - Parameters:
    ///   - statePath: the `NAME.last.safetensors` that it left.
    ///   - sources: its texts, where they have moved.
    ///   - budget: another total of all its runs.
    ///   - threads: of which the result does not depend; nil: one a core.
    /// - Throws: `TrainingError.corpusChanged` for other texts, and as for a new one.
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
        (configuration, path, statePath) = (
            trainer.configuration, trainer.saver.output.path, trainer.saver.output.lastPath
        )
        (self.events, self.continuation) = (events, continuation)
        self.trainer = Mutex(trainer)
    }

    /// Trains until the budget is spent, on a thread of its own, and returns the best model by validation.
    ///
    /// Where the task is cancelled, the step is finished and the state saved: `TrainingRun(resuming:)` goes on from it.
    ///
    /// - Throws: `TrainingError.cancelled`; `.diverged` where the loss explodes again and again; `.checkpoint` where nothing can be
    ///   saved.
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
        do { return try LanguageModel(contentsOf: path) } catch { throw TrainingError(error) }
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
