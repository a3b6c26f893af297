/// Why a training cannot begin or go on.
public enum TrainingError: Error, Equatable, Sendable {
    /// The training part has `symbols`; a window needs `needed`.
    case tooShort(symbols: Int, needed: Int)
    /// A text of the resumed training is not what it was.
    case corpusChanged(name: String)
    /// The loss exploded after a step, again after every return to an earlier state.
    case diverged(step: Int, flaw: String, recoveries: Int)
}

extension TrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooShort(let symbols, let needed):
            "the text has \(symbols) symbols to train on, too few for steps of \(needed - 1); give a longer text"
        case .corpusChanged(let name):
            "\(name) is not the text that this training began with; give that text, or start a new training"
        case .diverged(let step, let flaw, let recoveries):
            "after step \(step) \(flaw), and \(recoveries) returns to an earlier state did not help; "
                + "lower the learning rate (what was saved before is intact)"
        }
    }
}
