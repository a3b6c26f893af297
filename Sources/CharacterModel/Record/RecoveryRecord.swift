/// Watches the losses of a training for one that explodes.
///
/// A loss explodes when it is not finite, or when it has been far above its running mean for some steps in a row: a text
/// may turn to another language at once, but a model learns that within a few steps.
package struct LossMonitor: Sendable, Equatable, Codable {
    /// The running mean of the losses, in nats per symbol; exploding ones are left out.
    package var level: Double?
    /// How many losses in a row were far above it.
    package var strikes = 0

    /// Steps between two states that are kept to go back to.
    package static let interval = 100
    private static let patience = 5

    /// Whether the last loss was as usual.
    package var isCalm: Bool { strikes == 0 }

    /// Takes another loss; returns what is wrong with it if it has exploded.
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

/// What a training knows of its explosions: part of its record, so that a resumed one goes on exactly.
package struct RecoveryRecord: Sendable, Equatable, Codable {
    package var monitor = LossMonitor()
    /// How often the training went back to an earlier state. Each time halved the learning rate.
    package var count = 0
    /// Where the state to go back to was taken.
    package var point: Point?

    /// The place of a training in its text.
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

    /// Whether it is one that a training of so many windows an epoch could have.
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
    /// Returns to a place; the best validation and the time stay what they were.
    package mutating func goBack(to point: RecoveryRecord.Point) {
        (step, epoch, window, tokens) = (point.step, point.epoch, point.window, point.tokens)
        (validations, validationsSinceBest) = (point.validations, point.validationsSinceBest)
        recovery.monitor = point.monitor
        recovery.count += 1
        clearPending()
    }

    package mutating func clearPending() { (pendingNats, pendingTokens, pendingSeconds) = (0, 0, 0) }
}
