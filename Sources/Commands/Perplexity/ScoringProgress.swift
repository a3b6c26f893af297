import CommandSupport
import FoundationEssentials
import Reports

/// Reports the progress of scoring a long text, every ten seconds.
final class ScoringProgress {
    private let symbols: Int
    private let began: Date
    private var said: Date

    init(of symbols: Int, began: Date = Date()) {
        self.symbols = symbols
        (self.began, said) = (began, began)
    }

    func report(_ done: Int) {
        if let line = line(done, at: Date()) { StandardError.print(line) }
    }

    /// The message at a given time; nil if the last one is less than ten seconds old.
    func line(_ done: Int, at now: Date) -> String? {
        guard done > 0, now.timeIntervalSince(said) >= 10 else { return nil }
        said = now
        let left = now.timeIntervalSince(began) * Double(symbols - done) / Double(done)
        return "scored \(formatted(done)) of \(formatted(symbols)) symbols, \(formatted(timeLeft: left)) left"
    }
}
