import CharacterModel
import Cluster
import Glibc
import RecurrentNetwork
import TensorBoard
import Tokenization
import Training

/// Prints an error as one line, and returns the exit code for its kind; nil for an error that is not the project's own.
func report(_ error: any Error) -> Int32? {
    switch error {
    case let error as Exit: return error.code
    case let error as OutputError:
        // A reader that closes the pipe has read what it wanted.
        guard case .failed(let reason) = error else { return ExitStatus.done }
        printError("cannot write to the standard output: \(reason); make room or write elsewhere")
        return ExitStatus.inputOutput
    // The ranks end without a word where rank 0 says why.
    case ClusterError.ended: return ExitStatus.done
    case let error as TrainingError where error.underlying != nil: return report(error.underlying!)
    case let error as any TerminalError:
        printError(error.line)
        return error.exitCode
    default: return nil
    }
}

/// What rank 0 says of another rank's error.
package func failure(of error: any Error) -> Cluster.Failure {
    if let inner = (error as? TrainingError)?.underlying { return failure(of: inner) }
    let known = error as? any TerminalError
    return Cluster.Failure(reason: known?.line ?? "\(error)", code: known?.exitCode ?? ExitStatus.internalError)
}

/// A library error as it is shown in a terminal: libraries say what is wrong, commands add which flags can fix it.
protocol TerminalError: Error, CustomStringConvertible {
    var terminalText: String { get }
    /// What to type; nil where the error itself says what to do.
    var terminalAdvice: String? { get }
    var exitCode: Int32 { get }
}

extension TerminalError {
    var line: String { [terminalText, terminalAdvice].compactMap(\.self).joined(separator: "; ") }
    var terminalText: String { description }
    var terminalAdvice: String? { nil }
}

/// Options that conflict, or a value that is too large for the machine.
public struct UsageError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

extension UsageError: TerminalError {
    var exitCode: Int32 { ExitStatus.usage }
}

extension TextError: TerminalError {
    var terminalAdvice: String? {
        switch self {
        case .invalidUTF8:
            "give its --encoding, or --on-invalid replace or skip (train can also read raw bytes, with --unit byte)"
        case .invalidEncoding(_, let encoding, _):
            "give its --encoding if it is not \(encoding), or --on-invalid replace or skip"
        case .unknownEncoding: "--encoding list shows the available ones"
        case .noRoom: "the folder is set by --cache, or by TMPDIR without it"
        case .longRecord: "the separator of records is set by --records"
        case .binary: "train reads any bytes with --unit byte"
        default: nil
        }
    }

    var exitCode: Int32 {
        switch self {
        case .missing, .unreadable: ExitStatus.missingInput
        case .unknownEncoding: ExitStatus.usage
        case .noRoom: ExitStatus.cannotCreate
        case .unicode: ExitStatus.internalError
        case .empty, .emptyFolder, .invalidUTF8, .invalidEncoding, .damaged, .unbroken, .longRecord, .binary:
            ExitStatus.badData
        }
    }
}

extension CheckpointError: TerminalError {
    var terminalAdvice: String? {
        switch self {
        case .inUse: "give another path with --output"
        case .tooMany: "overwrite the last one with --overwrite, or give another path with --output"
        default: nil
        }
    }

    var exitCode: Int32 {
        switch self {
        case .missing, .unreadable: ExitStatus.missingInput
        case .cannotCreate, .inUse, .tooMany: ExitStatus.cannotCreate
        case .cannotWrite: ExitStatus.inputOutput
        default: ExitStatus.badData
        }
    }
}

extension TrainingError: TerminalError {
    var terminalAdvice: String? {
        switch self {
        case .tooShort(let symbols, _):
            symbols > 2 ? "try a shorter window: --window \(max(1, (symbols - 1) / 2))" : nil
        case .diverged: "--learning-rate sets it"
        case .corpusChanged, .configuration, .text, .checkpoint, .engine, .cluster, .cancelled: nil
        }
    }

    var exitCode: Int32 {
        if case .engine = self { return ExitStatus.internalError }
        return ExitStatus.badData
    }
}

extension ConfigurationError: TerminalError {
    var terminalText: String { "--\(description.replacing("_", with: "-"))" }
    var terminalAdvice: String? { "see \(Invocation.current.name(of: "train")) --help" }
    var exitCode: Int32 { ExitStatus.usage }
}

extension SamplingError: TerminalError {
    var terminalText: String { "--\(description)" }
    var exitCode: Int32 { ExitStatus.usage }
}

extension EvaluationError: TerminalError {
    var exitCode: Int32 { ExitStatus.badData }
}

extension MetricsError: TerminalError {
    var exitCode: Int32 { ExitStatus.usage }
}

extension ClusterError: TerminalError {
    var terminalAdvice: String? {
        switch self {
        case .noPlugin(let library, let file):
            "install the package escriba-\(library == Launcher.Library.mpich.rawValue ? "mpich" : "openmpi"), or build "
                + "\(file) with make mpi; ESCRIBA_MPI can name its path"
        case .notJoined: "start it with the launcher of that MPI library, or with srun --mpi=pmix or --mpi=pmi2"
        case .tooManyRanks(_, _, let needed): "give --batch \(needed) or more, or start fewer ranks"
        default: nil
        }
    }

    var exitCode: Int32 {
        switch self {
        case .noPlugin, .badPlugin: ExitStatus.missingInput
        case .notJoined, .tooManyRanks, .differs: ExitStatus.usage
        case .failed(_, _, let code): code
        case .transport, .silent, .ended: ExitStatus.inputOutput
        }
    }
}

extension EventFileError: TerminalError {
    var terminalAdvice: String? { "the folder is set by --tensorboard" }
    var exitCode: Int32 { ExitStatus.cannotCreate }
}
