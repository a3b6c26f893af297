import CharacterModel
import Foundation
import Tokenization

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
    case let error as TextError:
        printError(error.description)
        return error.exitCode
    case let error as CheckpointError:
        printError(error.description)
        return error.exitCode
    case TrainingError.badOption(let error): return report(error)
    case let error as TrainingError:
        printError(error.description)
        return ExitStatus.badData
    case let error as ConfigurationError:
        printError("--\(error.description.replacingOccurrences(of: "_", with: "-")); see train --help")
        return ExitStatus.usage
    case let error as SamplingError:
        printError(error.description)
        return ExitStatus.usage
    case let error as UsageError:
        printError(error.description)
        return ExitStatus.usage
    default: return nil
    }
}

/// Options that do not go together, or a value that the machine cannot carry.
public struct UsageError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

extension TextError {
    fileprivate var exitCode: Int32 {
        switch self {
        case .missing, .unreadable: ExitStatus.missingInput
        case .emptyFolder, .invalidUTF8, .invalidEncoding, .damaged, .unbroken, .longRecord, .binary: ExitStatus.badData
        case .unknownEncoding: ExitStatus.usage
        case .noRoom: ExitStatus.cannotCreate
        case .unicode: ExitStatus.internalError
        }
    }
}

extension CheckpointError {
    fileprivate var exitCode: Int32 {
        switch self {
        case .missing, .unreadable: ExitStatus.missingInput
        case .cannotCreate, .inUse: ExitStatus.cannotCreate
        case .cannotWrite: ExitStatus.inputOutput
        default: ExitStatus.badData
        }
    }
}
