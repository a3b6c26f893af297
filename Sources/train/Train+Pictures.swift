import CharacterModel
import CommandSupport
import Foundation
import TensorBoard

extension Train {
    /// Writes the curves of metrics files, this training's first, as a page.
    func draw(_ own: [String], to path: String) throws {
        let page = try TrainingReport(reading: own + output.reportWith).page()
        do { try Data(page.utf8).write(to: URL(fileURLWithPath: path)) } catch {
            throw CheckpointError.cannotCreate(path: path, reason: error.localizedDescription)
        }
        if !output.quiet { StandardError.print("the curves are in \(quoted(path))") }
    }

    /// Every file beside the models that a training would write over.
    func otherOutputs(_ plan: Plan) -> [String?] {
        [plan.output.metricsPath ?? plan.record.metricsPath, output.report]
    }
}

/// Passes what a training reports on to TensorBoard.
final class Curves {
    private let file: EventFile

    /// - Throws: `CheckpointError.cannotCreate` before anything is trained.
    init(folder: String) throws(CheckpointError) {
        do { file = try EventFile(folder: folder) } catch {
            throw .cannotCreate(path: error.path, reason: error.reason)
        }
    }

    func observe(_ event: TrainingEvent) {
        switch event {
        case .step(let report):
            file.add(
                step: report.step,
                [
                    ("loss/train", report.trainNats), ("training/learning_rate", report.learningRate),
                    ("training/gradient_norm", report.gradientNorm),
                    ("training/symbols_per_second", report.tokensPerSecond),
                ])
        case .validation(let report):
            file.add(step: report.step, [(report.isExact ? "loss/validation_exact" : "loss/validation", report.nats)])
            try? file.flush()
        case .scoring, .saved, .notSaved, .recovery, .fewerLanes: break
        }
    }

    /// Curves that are lost are worth a word, not a training.
    func finish() {
        do { try file.flush() } catch { StandardError.print("warning: \(error)") }
    }
}
