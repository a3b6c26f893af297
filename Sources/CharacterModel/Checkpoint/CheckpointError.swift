/// Why a checkpoint cannot be read or written. There is one case per cause, and every message says what to do.
public enum CheckpointError: Error, Equatable, Sendable {
    case missing(path: String)
    case unreadable(path: String, reason: String)
    /// The output cannot be created.
    case cannotCreate(path: String, reason: String)
    /// The output was created, but could not be written or moved to its path.
    case cannotWrite(path: String, reason: String)
    /// Another run wrote the file after this one had read it.
    case changed(path: String)
    /// A hundred earlier models are kept beside it.
    case tooMany(path: String)
    /// Another training run is writing it.
    case inUse(path: String)

    // The safetensors container.
    /// Fewer bytes than the header's length field needs, or than the header claims.
    case cutShort(path: String)
    /// The header's length is impossible, so this is not a safetensors file.
    case notSafetensors(path: String)
    case headerNotJSON(path: String)
    case headerTooDeep(path: String)
    /// A key has two values; readers may disagree on which one to use.
    case repeatedKey(path: String, key: String)
    /// More than this machine's memory.
    case tooLarge(path: String, bytes: Int)
    case unsupportedType(path: String, tensor: String, type: String)
    case badShape(path: String, tensor: String)
    /// The offsets of a tensor disagree with its shape.
    case badOffsets(path: String, tensor: String)
    /// Tensors overlap or leave a gap.
    case notContiguous(path: String, tensor: String)
    /// The data ends before or after the last tensor.
    case wrongSize(path: String, expected: Int, found: Int)
    case checksumMismatch(path: String)

    // The content that Escriba adds.
    case foreign(path: String)
    case newerVersion(path: String, version: String)
    case badMetadata(path: String, key: String, reason: String)
    case missingTensor(path: String, tensor: String)
    case wrongShape(path: String, tensor: String, expected: [Int], found: [Int])
    case notFinite(path: String, tensor: String)
    /// A model without training state, when that was requested.
    case noTrainingState(path: String)
}

extension CheckpointError: CustomStringConvertible {
    /// The path of a file that could not be written.
    package var path: String {
        switch self {
        case .cannotCreate(let path, _), .cannotWrite(let path, _): path
        default: ""
        }
    }

    /// The message, on one line. Untrusted text from a file is truncated, and its control characters are escaped.
    public var description: String {
        text.unicodeScalars.prefix(1_000).reduce(into: "") { line, scalar in
            let isControl = scalar.properties.generalCategory == .control || ["\u{2028}", "\u{2029}"].contains(scalar)
            line += isControl ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }

    private var text: String {
        let again = "copy it again, or use another checkpoint"
        switch self {
        case .missing(let path): return "there is no checkpoint \(path); check the path"
        case .unreadable(let path, let reason):
            return "cannot read \(path): \(reason); check the path and its permissions"
        case .cannotCreate(let path, let reason):
            return "cannot create \(path): \(reason); choose another path"
        case .cannotWrite(let path, let reason):
            return "cannot write \(path): \(reason); free some space or choose another path"
        case .changed(let path): return "another run has continued \(path) in the meantime; resume it again"
        case .tooMany(let path):
            return "99 earlier models are kept beside \(path); remove or move some"
        case .inUse(let path):
            return "another training run is writing \(path); wait for it, stop it, or choose another path"
        default: return containerFlaw(again) ?? contentFlaw(again)
        }
    }

    /// What is wrong with the safetensors container; nil if the problem is elsewhere.
    private func containerFlaw(_ again: String) -> String? {
        switch self {
        case .cutShort(let path): return "\(path) is cut short; \(again)"
        case .notSafetensors(let path):
            return
                "\(path) is not a checkpoint (no safetensors header at byte 0); give a .safetensors file made by train"
        case .headerNotJSON(let path): return "the header of \(path) at byte 8 is not JSON; \(again)"
        case .headerTooDeep(let path):
            return "the header of \(path) at byte 8 is nested deeper than any checkpoint's; \(again)"
        case .repeatedKey(let path, let key):
            return "the header of \(path) has the key \(key.debugDescription) twice; \(again)"
        case .tooLarge(let path, let bytes):
            return "\(path) has \(bytes) bytes, more than this machine's memory; \(again)"
        case .unsupportedType(let path, let tensor, let type):
            return "tensor \(tensor) of \(path) has type \(type); convert it to F32"
        case .badShape(let path, let tensor): return "tensor \(tensor) of \(path) has an impossible shape; \(again)"
        case .badOffsets(let path, let tensor):
            return "the offsets of tensor \(tensor) of \(path) disagree with its shape; \(again)"
        case .notContiguous(let path, let tensor):
            return "tensor \(tensor) of \(path) overlaps another or follows a gap; \(again)"
        case .wrongSize(let path, let expected, let found):
            let flaw = found < expected ? "is cut short" : "continues after its last tensor"
            return "\(path) \(flaw): \(found) bytes where there should be \(expected); \(again)"
        case .checksumMismatch(let path):
            return "the checksum of \(path) is wrong, so the file is damaged; \(again) "
                + "(a tool that rewrites checkpoints must drop the checksum)"
        default: return nil
        }
    }

    /// What is wrong with the content.
    private func contentFlaw(_ again: String) -> String {
        switch self {
        case .foreign(let path):
            return "\(path) was not made by train (its metadata lack format = escriba); give a checkpoint made by train"
        case .newerVersion(let path, let version):
            return "\(path) has format version \(version), which a newer Escriba wrote; upgrade to read it"
        case .badMetadata(let path, let key, let reason): return "the \(key) in \(path) is wrong: \(reason); \(again)"
        case .missingTensor(let path, let tensor): return "\(path) lacks tensor \(tensor); \(again)"
        case .wrongShape(let path, let tensor, let expected, let found):
            return "tensor \(tensor) of \(path) has shape \(found) where the configuration says \(expected); \(again)"
        case .notFinite(let path, let tensor):
            return "tensor \(tensor) of \(path) holds NaN or infinity; use an earlier checkpoint"
        case .noTrainingState(let path):
            return "\(path) has no training state to resume; give the .last.safetensors file beside it"
        default: preconditionFailure("handled elsewhere")
        }
    }
}
