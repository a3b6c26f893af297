import CommandSupport
import Foundation
import Reports

/// Says how far the scoring of a long text has come, every ten seconds.
final class ScoringProgress {
    private let symbols: Int
    private let began = Date()
    private var said = Date()

    init(of symbols: Int) { self.symbols = symbols }

    func report(_ done: Int) {
        let now = Date()
        guard done > 0, now.timeIntervalSince(said) >= 10 else { return }
        said = now
        let left = now.timeIntervalSince(began) * Double(symbols - done) / Double(done)
        StandardError.print(
            "scored \(formatted(done)) of \(formatted(symbols)) symbols, \(formatted(seconds: left)) left")
    }
}
