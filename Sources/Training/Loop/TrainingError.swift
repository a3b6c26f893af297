import CharacterModel
import RecurrentNetwork
import Tokenization

/// Why a training cannot begin or go on.
public enum TrainingError: Error, Equatable, Sendable {
    /// The training part has `symbols`; a window needs `needed`.
    case tooShort(symbols: Int, needed: Int)
    /// A text of the resumed training is not what it was.
    case corpusChanged(name: String)
    /// The loss exploded after a step, again after every return to an earlier state.
    case diverged(step: Int, flaw: String, recoveries: Int)
    /// An option is out of its range, or the cell has no use for it.
    case configuration(ConfigurationError)
    /// A text cannot be read.
    case text(TextError)
    /// A checkpoint or the metrics cannot be read or written.
    case checkpoint(CheckpointError)
    /// What computes cannot go on.
    case engine(reason: String)
    /// The task was cancelled; the state is saved where a resumed training finds it.
    case cancelled(state: String)

    /// Any error of a training.
    init(_ error: any Error) {
        switch error {
        case let error as TrainingError: self = error
        case let error as ConfigurationError: self = .configuration(error)
        case let error as TextError: self = .text(error)
        case let error as CheckpointError: self = .checkpoint(error)
        default: self = .engine(reason: "\(error)")
        }
    }

    /// The error of another module that it stands for, if any.
    package var underlying: (any Error)? {
        switch self {
        case .configuration(let error): error
        case .text(let error): error
        case .checkpoint(let error): error
        case .tooShort, .corpusChanged, .diverged, .engine, .cancelled: nil
        }
    }
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
        case .configuration(let error): error.description
        case .text(let error): error.description
        case .checkpoint(let error): error.description
        case .engine(let reason): reason
        case .cancelled(let state): "the training was cancelled; it goes on from \(state)"
        }
    }
}
