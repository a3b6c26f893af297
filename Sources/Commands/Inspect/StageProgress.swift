import CommandSupport
import FoundationEssentials
import Reports

/// Says which stage a long measurement is at, and every ten seconds how much of it is done.
final class StageProgress {
    private var stage = ""
    private var said = Date.distantPast

    /// - Parameter done: the part of the stage that is done, from 0 to 1.
    func report(_ stage: String, _ done: Double = 0, at now: Date = Date()) {
        guard stage != self.stage || now.timeIntervalSince(said) >= 10 else { return }
        StandardError.print(stage == self.stage ? "\(stage): \(formatted(done * 100, decimals: 0)) %" : stage)
        (self.stage, said) = (stage, now)
    }
}
