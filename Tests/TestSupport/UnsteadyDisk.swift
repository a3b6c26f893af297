import CharacterModel
import Synchronization

/// The system's disk, with some calls that fail.
package final class UnsteadyDisk: FileSystem {
    package enum Call: Sendable {
        case write
        /// Names that change; of two, the second.
        case name(String)
    }

    private let files = SystemFiles()
    private let failure: Mutex<@Sendable (Call) -> Int32?>

    /// - Parameter failure: the error that a call fails with, nil for none.
    package init(_ failure: @escaping @Sendable (Call) -> Int32? = { _ in nil }) { self.failure = Mutex(failure) }

    /// Whether nothing more can be written.
    package func fill(_ full: Bool) {
        failure.withLock {
            $0 = { call in
                guard full, case .write = call else { return nil }
                return 28  // ENOSPC
            }
        }
    }

    private func check(_ call: Call) throws(SystemError) {
        if let code = failure.withLock({ $0(call) }) { throw SystemError(code: code) }
    }

    package func create(_ path: String) throws(SystemError) -> Int32 { try files.create(path) }

    package func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int
    ) throws(SystemError) -> Int {
        try check(.write)
        return try files.write(bytes, to: descriptor, at: offset)
    }

    package func flush(_ descriptor: Int32) throws(SystemError) { try files.flush(descriptor) }
    package func close(_ descriptor: Int32) throws(SystemError) { try files.close(descriptor) }

    package func rename(_ path: String, to destination: String) throws(SystemError) {
        try check(.name(destination))
        try files.rename(path, to: destination)
    }

    package func link(_ path: String, to other: String) throws(SystemError) {
        try check(.name(other))
        try files.link(path, to: other)
    }

    package func remove(_ path: String) throws(SystemError) {
        try check(.name(path))
        try files.remove(path)
    }

    package func flushFolder(_ path: String) throws(SystemError) { try files.flushFolder(path) }
}
