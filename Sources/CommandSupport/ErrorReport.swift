import CharacterModel
import Foundation
import RecurrentNetwork
import TensorBoard
import Tokenization
import Training

/// Prints what went wrong as one line, and returns the exit code that says what kind of thing it was; nil for an error that
/// is not the project's own.
func report(_ error: any Error) -> Int32? {
    switch error {
    case let error as Exit: return error.code
    case let error as OutputError:
        // A reader that goes away has read what it wanted.
        guard case .failed(let reason) = error else { return ExitStatus.done }
        printError("cannot write to the standard output: \(reason); make room or write elsewhere")
        return ExitStatus.inputOutput
    case let error as TrainingError where error.underlying != nil: return report(error.underlying!)
    case let error as any TerminalError:
        printError([error.terminalText, error.terminalAdvice].compactMap(\.self).joined(separator: "; "))
        return error.exitCode
    default: return nil
    }
}

/// An error of the libraries, as a person at a terminal is told of it: libraries say what is wrong, commands add what can be typed
/// about it.
protocol TerminalError: Error, CustomStringConvertible {
    var terminalText: String { get }
    /// What to type; nil where the error itself says what to do.
    var terminalAdvice: String? { get }
    var exitCode: Int32 { get }
}

extension TerminalError {
    var terminalText: String { description }
    var terminalAdvice: String? { nil }
}

/// Options that do not go together, or a value that the machine cannot carry.
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
            "say which --encoding it has, or --on-invalid replace or skip (train also reads bytes as they are, with --unit byte)"
        case .invalidEncoding(_, let encoding, _):
            "say which --encoding it has if not \(encoding), or --on-invalid replace or skip"
        case .unknownEncoding: "--encoding list names those there are"
        case .noRoom: "that folder is --cache, or TMPDIR without one"
        case .longRecord: "records are separated by what --records says"
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
        case .inUse: "--output names another place"
        case .tooMany: "--overwrite gives up the last one, --output names another place"
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
            symbols > 2 ? "--window \(max(1, (symbols - 1) / 2)) makes shorter steps" : nil
        case .diverged: "--learning-rate sets it"
        case .corpusChanged, .configuration, .text, .checkpoint, .engine, .cancelled: nil
        }
    }

    var exitCode: Int32 { ExitStatus.badData }
}

extension ConfigurationError: TerminalError {
    var terminalText: String { "--\(description.replacingOccurrences(of: "_", with: "-"))" }
    var terminalAdvice: String? { "see train --help" }
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

extension EventFileError: TerminalError {
    var terminalAdvice: String? { "--tensorboard names it" }
    var exitCode: Int32 { ExitStatus.cannotCreate }
}
