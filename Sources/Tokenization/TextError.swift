/// Why a text cannot be read. Every case says where.
public enum TextError: Error, Equatable, Sendable {
    /// There is no such file or folder.
    case missing(path: String)
    /// The system refused to read it.
    case unreadable(path: String, reason: String)
    /// It has no symbols.
    case empty(path: String)
    /// A folder without files.
    case emptyFolder(path: String)
    /// The byte at `offset` (counted from 0) does not begin a well-formed UTF-8 sequence.
    case invalidUTF8(path: String, offset: Int)
    /// The byte at `offset` (counted from 0) begins a sequence that is ill-formed in the charset.
    case invalidEncoding(path: String, encoding: String, offset: Int)
    /// ICU knows no charset of this name.
    case unknownEncoding(name: String)
    /// A compressed file that cannot be decompressed.
    case damaged(path: String, reason: String)
    /// The tokens of a long text cannot be stored in a file.
    case noRoom(folder: String, reason: String)
    /// Too much text from `offset` without a place to split it.
    case unbroken(path: String, offset: Int)
    /// The record at `offset` is too long.
    case longRecord(path: String, offset: Int)
    /// Not a text in any charset.
    case binary(path: String)
    /// ICU failed.
    case unicode(function: String, error: String)
}

extension TextError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path): "there is no file or folder \(path); check the path"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason); check the path and its permissions"
        case .empty(let path): "\(path) is empty; give a text"
        case .emptyFolder(let path): "the folder \(path) has no texts; add one"
        case .invalidUTF8(let path, let offset):
            "invalid UTF-8 in \(path) at byte offset \(offset)"
        case .invalidEncoding(let path, let encoding, let offset):
            "invalid \(encoding) in \(path) at byte offset \(offset)"
        case .unknownEncoding(let name): "there is no encoding \(name)"
        case .damaged(let path, let reason): "cannot decompress \(path): \(reason); create or download it again"
        case .noRoom(let folder, let reason):
            "cannot store the text's tokens in \(folder): \(reason); use a folder with space for four bytes per symbol"
        case .unbroken(let path, let offset):
            "\(path) has more than a gigabyte without a line feed or two ASCII characters in a row, from byte offset "
                + "\(offset) on; break it into lines"
        case .longRecord(let path, let offset):
            "the record of \(path) that begins at byte offset \(offset) is longer than a gigabyte; check what separates records"
        case .binary(let path): "\(path) is not a text but a binary file; give a text"
        case .unicode(let function, let error): "ICU's \(function) failed: \(error)"
        }
    }
}
