/// Why a training cannot begin or go on.
public enum TrainingError: Error, Equatable, Sendable {
    /// The training part has `symbols`; a window needs `needed`.
    case tooShort(symbols: Int, needed: Int)
    case emptyText(name: String)
    /// A text of the resumed training is not what it was.
    case corpusChanged(name: String)
    case badOption(ConfigurationError)
    /// The loss exploded after a step, again after every return to an earlier state.
    case diverged(step: Int, flaw: String, recoveries: Int)
}

extension TrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooShort(let symbols, let needed):
            "the training text has \(symbols) symbols and one window needs \(needed); "
                + "give a longer text, or a smaller --window or --validation-fraction"
        case .emptyText(let name): "\(name) is empty; give a text"
        case .corpusChanged(let name):
            "\(name) is not the text that this training began with; give that text, or start a new training"
        case .badOption(let error): error.description
        case .diverged(let step, let flaw, let recoveries):
            "after step \(step) \(flaw), and \(recoveries) returns to an earlier state did not help; "
                + "lower --learning-rate (what was saved before is intact)"
        }
    }
}

extension TrainingOptions {
    /// Checks that every value is in its range.
    public func validate() throws(TrainingError) {
        func check(_ name: String, _ value: some Comparable & CustomStringConvertible, _ fits: Bool, _ allowed: String)
            throws(TrainingError)
        {
            guard fits else {
                throw .badOption(ConfigurationError(name: name, value: value.description, allowed: allowed))
            }
        }
        try check("batch", batch, (1...65_536).contains(batch), "from 1 to 65536")
        try check("window", window, (1...65_536).contains(window), "from 1 to 65536")
        try check("learning-rate", learningRate, learningRate > 0 && learningRate.isFinite, "finite and above 0")
        try check("warmup", warmup, (0...1_000_000_000_000).contains(warmup), "at least 0")
        try check("weight-decay", weightDecay, weightDecay >= 0 && weightDecay.isFinite, "at least 0")
        try check("clip", clip, clip > 0 && clip.isFinite, "finite and above 0")
        if let evaluateEvery { try check("evaluate-every", evaluateEvery, evaluateEvery >= 1, "at least 1") }
        if let patience { try check("patience", patience, patience >= 1, "at least 1") }
        try check("max-recoveries", maxRecoveries, (0...1_000).contains(maxRecoveries), "from 0 to 1000")
        switch budget {
        case .epochs(let count):
            try check("epochs", count, (1...1_000_000).contains(count), "from 1 to 1000000")
        case .steps(let count):
            try check("steps", count, (1...1_000_000_000_000).contains(count), "from 1 to 1000000000000")
        case .seconds(let seconds):
            try check("time-limit", seconds, seconds > 0 && seconds.isFinite, "finite and above 0")
        }
    }
}
