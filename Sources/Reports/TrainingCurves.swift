import TensorBoard
import Training

/// Writes the reports of a training run for TensorBoard.
public final class TrainingCurves {
    private let file: EventFile

    /// - Throws: `EventFileError` if the file cannot be created.
    public init(folder: String) throws(EventFileError) { file = try EventFile(folder: folder) }

    public func observe(_ event: TrainingEvent) {
        switch event {
        case .step(let report):
            file.add(
                step: report.step,
                [
                    ("loss/train", report.trainNats), ("training/learning_rate", report.learningRate),
                    ("training/gradient_norm", report.gradientNorm),
                    ("training/symbols_per_second", report.tokensPerSecond),
                ] + (report.gradientNoiseScale.map { [("training/gradient_noise_scale", $0)] } ?? []))
        case .validation(let report):
            file.add(step: report.step, [(report.isExact ? "loss/validation_exact" : "loss/validation", report.nats)])
            try? file.flush()
        case .scoring, .sample, .saved, .kept, .keptMetrics, .notSaved, .recovery, .otherKernels, .unfairChoice,
            .fewerLanes:
            break
        }
    }

    /// - Throws: `EventFileError` if a point was lost.
    public func finish() throws(EventFileError) { try file.flush() }
}
