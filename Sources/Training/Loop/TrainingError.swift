import CharacterModel
import Cluster
import RecurrentNetwork
import Tokenization

/// Why a training run cannot start or continue.
public enum TrainingError: Error, Equatable, Sendable {
    /// The training part has `symbols`; a window needs `needed`.
    case tooShort(symbols: Int, needed: Int)
    /// A text of the resumed training run has changed.
    case corpusChanged(name: String)
    /// The loss exploded after a step, and again after every return to an earlier state.
    case diverged(step: Int, flaw: String, recoveries: Int)
    /// An option is out of its range, or the cell does not use it.
    case configuration(ConfigurationError)
    /// A text cannot be read.
    case text(TextError)
    /// A checkpoint or the metrics cannot be read or written.
    case checkpoint(CheckpointError)
    /// The compute engine failed.
    case engine(reason: String)
    /// The processes that train together cannot go on.
    case cluster(ClusterError)
    /// The task was cancelled; the state is saved at this path for resuming.
    case cancelled(state: String)

    /// Wraps any error of a training run.
    init(_ error: any Error) {
        switch error {
        case let error as TrainingError: self = error
        case let error as ConfigurationError: self = .configuration(error)
        case let error as TextError: self = .text(error)
        case let error as CheckpointError: self = .checkpoint(error)
        case let error as ClusterError: self = .cluster(error)
        default: self = .engine(reason: "\(error)")
        }
    }

    /// The wrapped error of another module, if any.
    package var underlying: (any Error)? {
        switch self {
        case .configuration(let error): error
        case .text(let error): error
        case .checkpoint(let error): error
        case .cluster(let error): error
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
            "\(name) is not the text that this training run started with; give that text, or start a new training run"
        case .diverged(let step, let flaw, let recoveries):
            "after step \(step) \(flaw), and \(recoveries) returns to an earlier state did not help; "
                + "lower the learning rate (what was saved before is intact)"
        case .configuration(let error): error.description
        case .text(let error): error.description
        case .checkpoint(let error): error.description
        case .cluster(let error): error.description
        case .engine(let reason): reason
        case .cancelled(let state): "the training run was cancelled; resume it from \(state)"
        }
    }
}
