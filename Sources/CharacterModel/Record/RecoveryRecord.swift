/// Monitors the losses of a training run for explosions.
///
/// A loss explodes when it is not finite, or when it has been far above its running mean for some steps in a row: a
/// text may suddenly switch to another language, but a model adapts to that within a few steps.
package struct LossMonitor: Sendable, Equatable, Codable {
    /// The running mean of the losses, in nats per symbol; exploding ones are left out.
    package var level: Double?
    /// How many losses in a row were far above it.
    package var strikes = 0

    /// Steps between two states kept as recovery points.
    package static let interval = 100
    private static let patience = 5

    /// Whether the last loss was normal.
    package var isCalm: Bool { strikes == 0 }

    /// Adds a loss; returns what is wrong if the loss has exploded.
    package mutating func flaw(in nats: Double) -> String? {
        guard nats.isFinite else { return "the loss is not finite" }
        guard let mean = level else {
            level = nats
            return nil
        }
        guard nats > 2 * mean + 1 else {
            strikes = 0
            level = mean + 0.02 * (nats - mean)
            return nil
        }
        strikes += 1
        return strikes < Self.patience ? nil : "the loss is \(rounded(nats)) nats where \(rounded(mean)) is usual"
    }

    private func rounded(_ value: Double) -> String {
        value < 1e6 ? "\((value * 100).rounded() / 100)" : "over a million"
    }
}

/// The recovery state of a training run. It is part of its record, so that a resumed run continues exactly.
package struct RecoveryRecord: Sendable, Equatable, Codable {
    package var monitor = LossMonitor()
    /// How often the training went back to an earlier state. Each time halved the learning rate.
    package var count = 0
    /// The recovery point to go back to.
    package var point: Point?

    /// The position of a training run in its text.
    package struct Point: Sendable, Equatable, Codable {
        package var step: Int
        package var epoch: Int
        package var window: Int
        package var tokens: Int
        package var validations: Int
        package var validationsSinceBest: Int
        package var monitor: LossMonitor

        package init(_ record: TrainingRecord) {
            (validations, validationsSinceBest) = (record.validations, record.validationsSinceBest)
            (step, epoch, window, tokens) = (record.step, record.epoch, record.window, record.tokens)
            monitor = record.recovery.monitor
        }
    }

    /// What the learning rate is multiplied by.
    package var rateFactor: Double { (0..<count).reduce(1) { factor, _ in factor / 2 } }

    /// Whether it is possible for a training run with this many windows per epoch.
    func isPlausible(windows: Int) -> Bool {
        let counters =
            [count] + (point.map { [$0.step, $0.epoch, $0.tokens, $0.validations, $0.validationsSinceBest] } ?? [])
        return counters.allSatisfy { (0...1 << 53).contains($0) } && count <= 1_000
            && [monitor, point?.monitor].allSatisfy { $0.map { (0...100).contains($0.strikes) } ?? true }
            && (point.map { (0..<windows).contains($0.window) } ?? true)
            && [monitor.level, point?.monitor.level].allSatisfy { $0.map { $0 >= 0 && $0.isFinite } ?? true }
    }
}

extension TrainingRecord {
    /// Returns to a recovery point. The best validation and the time are not changed.
    package mutating func goBack(to point: RecoveryRecord.Point) {
        (step, epoch, window, tokens) = (point.step, point.epoch, point.window, point.tokens)
        (validations, validationsSinceBest) = (point.validations, point.validationsSinceBest)
        recovery.monitor = point.monitor
        recovery.count += 1
        clearPending()
    }

    package mutating func clearPending() {
        (pendingNats, pendingTokens, pendingSeconds, pendingNoise) = (0, 0, 0, nil)
    }
}
