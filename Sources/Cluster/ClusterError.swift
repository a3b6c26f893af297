import Glibc

/// Why processes cannot work together.
public enum ClusterError: Error, Equatable, Sendable {
    /// A launcher started this process, but there is no plug-in for its MPI library.
    case noPlugin(library: String, file: String)
    /// A plug-in cannot be opened.
    case badPlugin(path: String, reason: String)
    /// The launcher started `started` processes, but MPI knows only `joined`.
    case notJoined(started: Int, joined: Int)
    /// The MPI library failed.
    case transport(library: String, reason: String)
    /// Nothing was heard of a rank for so long.
    case silent(rank: Int, seconds: Int)
    /// A rank differs from rank 0 in something that must be equal.
    case differs(rank: Int, what: String, theirs: String, ours: String)
    /// A rank failed.
    case failed(rank: Int, reason: String, code: Int32)
    /// Another rank failed, and reports it.
    case ended
    /// Each rank needs a group of lanes of its own.
    case tooManyRanks(ranks: Int, batch: Int, needed: Int)
}

/// The name of this machine.
private var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "this machine" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension ClusterError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noPlugin(let library, let file):
            "a launcher of \(library) started this process, but \(file) is not installed on \(hostName)"
        case .badPlugin(let path, let reason): "\(path) cannot be used: \(reason)"
        case .notJoined(let started, let joined):
            "the launcher started \(started) processes, but MPI joins only \(joined) of them"
        case .transport(let library, let reason): "\(library) failed: \(reason)"
        case .silent(let rank, let seconds):
            "rank \(rank) has not been heard of for \(seconds) seconds; what was saved before is intact"
        case .differs(let rank, let what, let theirs, let ours):
            "rank \(rank) differs in its \(what): \(theirs), not \(ours) as rank 0; make them equal"
        case .failed(let rank, let reason, _): "rank \(rank): \(reason)"
        case .ended: "another rank failed"
        case .tooManyRanks(let ranks, let batch, let needed):
            "a batch of \(batch) cannot be shared by \(ranks) ranks; it must be at least \(needed)"
        }
    }
}
