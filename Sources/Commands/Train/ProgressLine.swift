import Glibc
import Reports
import Training

/// The live line of a training on a terminal: a bar, the loss, the time left, and a sparkline of the validations.
struct ProgressLine {
    private let symbolsPerCharacter: Double
    /// Whether colours may be used (https://no-color.org).
    private let isColored: Bool
    /// Of the validations so far, in nats.
    private(set) var validations: [ValidationReport] = []

    init(symbolsPerCharacter: Double, isColored: Bool) {
        (self.symbolsPerCharacter, self.isColored) = (symbolsPerCharacter, isColored)
    }

    /// What the last one promises for the end, in bits per character.
    private var expected: Double?

    mutating func add(_ report: ValidationReport, expecting end: Double? = nil) {
        validations.append(report)
        expected = end
    }

    /// The line, in at most `width` columns; what matters least is left out first.
    func text(_ report: StepReport, secondsLeft: Double?, width: Int) -> String {
        let bits = formatted(report.trainNats / log(2) * symbolsPerCharacter, decimals: 3)
        var parts = ["loss \(bits) bits"]
        if let last = validations.last {
            parts.append("validation \(sparkline) \(formatted(last.bitsPerCharacter, decimals: 3))")
        }
        if let secondsLeft { parts.append("\(formatted(timeLeft: secondsLeft)) left") }
        if let expected { parts.append("ending near \(formatted(expected, decimals: 2))") }
        parts.append("step \(formatted(report.step))")
        parts.append("\(formatted(Int(report.tokensPerSecond)))/s")
        let (percent, cells) = ("\(formatted(min(100, report.progress * 100), decimals: 0)) %", width < 100 ? 12 : 20)
        var line = percent.count > 4 ? percent : String(repeating: " ", count: 5 - percent.count) + percent
        var length = line.count
        if width >= 60 {
            line = Self.bar(report.progress, cells: cells, isColored: isColored) + line
            length += cells
        }
        for part in parts where length + part.count + 2 < width {
            line += "  " + part
            length += part.count + 2
        }
        return line
    }

    /// Eighths of a cell make the bar smooth.
    static func bar(_ progress: Double, cells: Int, isColored: Bool) -> String {
        let eighths = Int((min(1, max(0, progress)) * Double(cells * 8)).rounded())
        let parts = Array(" ▏▎▍▌▋▊▉")
        var bar = String(repeating: "█", count: eighths / 8)
        if eighths % 8 > 0 { bar.append(parts[eighths % 8]) }
        let rest = String(repeating: "░", count: cells - bar.count)
        return isColored ? "\u{1B}[36m\(bar)\u{1B}[90m\(rest)\u{1B}[0m" : bar + rest
    }

    /// The last validations, the best at the bottom.
    var sparkline: String {
        let values = validations.suffix(8).map(\.nats)
        guard let low = values.min(), let high = values.max() else { return "" }
        let levels = Array("▁▂▃▄▅▆▇█")
        return String(
            values.map { value in
                let share = high > low ? (value - low) / (high - low) : 0
                return levels[min(7, max(0, Int((share.isFinite ? share : 1) * 7.999)))]
            })
    }
}
