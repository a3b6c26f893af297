import CharacterModel
import Foundation
import Synchronization

/// A disk in memory with a cache in front of it, which fails where it is told to.
///
/// It knows two states: what programs see, and what is certain to be there after the power is lost. Contents become certain
/// by `flush`, names (of files made, renamed, removed) by `flushFolder`; until then each may or may not have reached the
/// disk, but a name that did came after all the names before it (as on file systems that keep a journal).
package final class SimulatedDisk: FileSystem {
    private struct State {
        /// By inode: what was written, and what of it is certain.
        var contents: [Int: (written: [UInt8], certain: [UInt8])] = [:]
        /// By name: the inode.
        var names: [String: Int] = [:]
        var certainNames: [String: Int] = [:]
        /// States of the names since the last flush of the folder.
        var history: [[String: Int]] = []
        var calls = 0
        var next = 1
        var open: [Int32: Int] = [:]
    }

    private let state = Mutex(State())
    /// The call, counted from 1, at which the disk fails; nil for never.
    private let failure: (call: Int, error: Int32, isForever: Bool)?

    /// - Parameters:
    ///   - files: what is on the disk at first, for certain.
    ///   - failing: at which call it fails, how, and whether all later calls fail too.
    package init(_ files: [String: [UInt8]] = [:], failing: (call: Int, error: Int32, isForever: Bool)? = nil) {
        failure = failing
        state.withLock { state in
            for (name, bytes) in files {
                state.contents[state.next] = (bytes, bytes)
                state.names[name] = state.next
                state.next += 1
            }
            state.certainNames = state.names
        }
    }

    package var calls: Int { state.withLock { $0.calls } }

    /// What programs see.
    package var files: [String: [UInt8]] {
        state.withLock { state in state.names.mapValues { state.contents[$0]!.written } }
    }

    /// All that may be found after the power is lost now: any state of the names since they were last flushed, with contents
    /// that were written or only those that are certain, or cut short between.
    package var afterPowerLoss: [[String: [UInt8]]] {
        state.withLock { state in
            ([state.certainNames] + state.history).flatMap { names in
                [
                    names.mapValues { state.contents[$0]!.written }, names.mapValues { state.contents[$0]!.certain },
                    names.mapValues { inode in
                        let (written, certain) = state.contents[inode]!
                        return written == certain ? written : Array(written.prefix(written.count / 2))
                    },
                ]
            }
        }
    }

    private func call<Value>(_ body: (inout State) -> Value?) throws(SystemError) -> Value {
        let result = state.withLock { state -> Result<Value, SystemError> in
            state.calls += 1
            if let failure, state.calls == failure.call || (failure.isForever && state.calls > failure.call) {
                return .failure(SystemError(code: failure.error))
            }
            guard let value = body(&state) else { return .failure(SystemError(code: ENOENT)) }
            return .success(value)
        }
        return try result.get()
    }

    package func create(_ path: String) throws(SystemError) -> Int32 {
        try call { state in
            let inode = state.next
            state.next += 1
            state.contents[inode] = ([], [])
            state.names[path] = inode
            state.history.append(state.names)
            state.open[Int32(inode)] = inode
            return Int32(inode)
        }
    }

    /// Takes half of what it is given, as a disk may.
    package func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int
    ) throws(SystemError) -> Int {
        try call { state -> Int? in
            guard let inode = state.open[descriptor] else { return nil }
            let part = bytes.prefix(max(1, bytes.count / 2))
            var written = state.contents[inode]!.written
            written += [UInt8](repeating: 0, count: max(0, offset + part.count - written.count))
            written.replaceSubrange(offset..<offset + part.count, with: part)
            state.contents[inode]!.written = written
            return part.count
        }
    }

    package func flush(_ descriptor: Int32) throws(SystemError) {
        try call { state -> Void? in
            guard let inode = state.open[descriptor] else { return nil }
            state.contents[inode]!.certain = state.contents[inode]!.written
            return ()
        }
    }

    package func close(_ descriptor: Int32) throws(SystemError) {
        try call { state in state.open.removeValue(forKey: descriptor).map { _ in () } }
    }

    package func rename(_ path: String, to destination: String) throws(SystemError) {
        try call { state -> Void? in
            guard let inode = state.names.removeValue(forKey: path) else { return nil }
            state.names[destination] = inode
            state.history.append(state.names)
            return ()
        }
    }

    package func link(_ path: String, to other: String) throws(SystemError) {
        try call { state -> Void? in
            guard let inode = state.names[path], state.names[other] == nil else { return nil }
            state.names[other] = inode
            state.history.append(state.names)
            return ()
        }
    }

    package func remove(_ path: String) throws(SystemError) {
        try call { state -> Void? in
            guard state.names.removeValue(forKey: path) != nil else { return nil }
            state.history.append(state.names)
            return ()
        }
    }

    package func flushFolder(_ path: String) throws(SystemError) {
        try call { state -> Void? in
            state.certainNames = state.names
            state.history = []
            return ()
        }
    }
}
