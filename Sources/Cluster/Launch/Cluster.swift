import FoundationEssentials
import LinearAlgebra
import Synchronization

/// The processes of a launch that work on one task. Rank 0 leads: it alone prints and writes.
package final class Cluster: Sendable {
    package let communicator: Communicator
    package var rank: Int { communicator.rank }
    package var ranks: Int { communicator.ranks }
    package var isLeader: Bool { rank == 0 }

    private let atOne = Atomic(false)

    package init(_ communicator: Communicator) { self.communicator = communicator }

    /// Whether the other ranks end by themselves if rank 0 fails now.
    package var isAtOne: Bool {
        get { atOne.load(ordering: .relaxed) }
        set { atOne.store(newValue, ordering: .relaxed) }
    }

    /// Joins the launch that this process belongs to; nil if it was started alone.
    ///
    /// - Parameters:
    ///   - signal: see ``Communicator``.
    package static func join(
        signal: @escaping @Sendable () -> Int32, onSignal: @escaping @Sendable (Int32) -> Void
    ) throws(ClusterError) -> Cluster? {
        guard let launcher = Launcher.current else { return nil }
        let plugin = try MPITransport.plugin(for: launcher)
        let communicator = try Communicator(signal: signal, onSignal: onSignal) { () throws(ClusterError) in
            try MPITransport(plugin: plugin)
        }
        guard communicator.ranks == launcher.processes else {
            _ = communicator.leave(within: 5)
            throw .notJoined(started: launcher.processes, joined: communicator.ranks)
        }
        return Cluster(communicator)
    }

    // MARK: What all ranks do together

    /// Runs a body on every rank, and fails on all if it fails on one, or if they differ.
    ///
    /// - Parameters:
    ///   - describe: what to say of an error of another rank, and its exit code.
    ///   - facts: what must be equal on all ranks, by name.
    /// - Throws: on rank 0, its own error, or that of the first rank that failed; on others, `ClusterError.ended`.
    package func together<Result>(
        describe: (any Error) -> Failure = { Failure(reason: "\($0)", code: 70) }, facts: (Result) -> [Fact],
        _ body: () throws -> Result
    ) throws -> Result {
        let result = Swift.Result { try body() }
        var report = Report()
        switch result {
        case .success(let value): report.facts = facts(value)
        case .failure(let error): report.failure = describe(error)
        }
        let flaw = try collect(value: report).flaw
        let isGood = try share(value: flaw == nil)
        if isGood { return try result.get() }
        isAtOne = true
        if isLeader, case .failure(let error) = result { throw error }
        throw flaw ?? .ended
    }

    /// Something that must be equal on all ranks.
    package struct Fact: Sendable, Equatable, Codable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// An error of another rank.
    package struct Failure: Codable {
        var reason: String
        var code: Int32

        package init(reason: String, code: Int32) { (self.reason, self.code) = (reason, code) }
    }

    private func send(_ bytes: [UInt8], to rank: Int, _ tag: MessageTag) -> Pending {
        communicator.send(Message([bytes.count]), to: rank, tag: tag)
        return communicator.send(Message(bytes), to: rank, tag: tag)
    }

    private func receive(from rank: Int, _ tag: MessageTag) throws(ClusterError) -> [UInt8] {
        let count = Matrix<Int>(rows: 1, columns: 1)
        try communicator.wait(for: communicator.receive(Message(count), from: rank, tag: tag))
        let bytes = Matrix<UInt8>(rows: 1, columns: count.elements[0])
        try communicator.wait(for: communicator.receive(Message(bytes), from: rank, tag: tag))
        return bytes.elements
    }

    /// Gives rank 0's value to all.
    package func share<Value: Codable>(value: @autoclosure () -> Value) throws(ClusterError) -> Value {
        guard isLeader else { return try decoded(receive(from: 0, .payload)) }
        let value = value()
        let bytes = encoded(value)
        let pending = (1..<ranks).map { send(bytes, to: $0, .payload) }
        for one in pending { try communicator.wait(for: one) }
        return value
    }

    /// Collects the values of all ranks in order on rank 0; the others get nothing.
    package func collect<Value: Codable>(value: Value) throws(ClusterError) -> [Value] {
        guard isLeader else {
            try communicator.wait(for: send(encoded(value), to: 0, .reply))
            return []
        }
        var all = [value]
        for rank in 1..<ranks { all.append(try decoded(receive(from: rank, .reply))) }
        return all
    }

    private func encoded(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    private func decoded<Value: Decodable>(_ bytes: [UInt8]) throws(ClusterError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return try decoder.decode(Value.self, from: Data(bytes)) } catch {
            throw .transport(library: communicator.name, reason: "a message is damaged")
        }
    }
}

/// How a rank fared in what all do together.
private struct Report: Codable {
    var failure: Cluster.Failure?
    var facts: [Cluster.Fact] = []
}

extension [Report] {
    /// What is wrong with the reports of all ranks; nil if they are good, and equal.
    fileprivate var flaw: ClusterError? {
        for (rank, report) in enumerated() {
            if let failure = report.failure { return .failed(rank: rank, reason: failure.reason, code: failure.code) }
            for (theirs, ours) in zip(report.facts, self[0].facts) where theirs != ours {
                return .differs(rank: rank, what: ours.name, theirs: theirs.value, ours: ours.value)
            }
        }
        return nil
    }
}
