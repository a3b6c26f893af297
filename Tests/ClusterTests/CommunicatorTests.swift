import Concurrency
import Foundation
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Cluster

@Suite("Messages between ranks")
struct CommunicatorTests {
    @Test("Messages of a tag arrive in order, whole, with what follows them under way")
    func order() throws {
        let cluster = try MemoryCluster(ranks: 3) { cluster in
            let communicator = cluster.communicator
            for number in 0..<50 {
                communicator.send(Message([number, cluster.rank]), to: 0, tag: .partial(number % 3))
            }
            // A reply to what arrives.
            let memory = Matrix<Int>(rows: 1, columns: 4)
            let reply = Atomic(false)
            let pending = communicator.receive(Message(memory), from: 0, tag: .command) {
                communicator.send(Message(memory, first: 2), to: 0, tag: .reply)
                reply.store(true, ordering: .relaxed)
            }
            try communicator.wait(for: pending)
            precondition(reply.load(ordering: .relaxed))
        }
        for rank in [2, 1] {
            var next = [0, 1, 2]
            for number in [0, 2, 1, 0, 0, 2, 1] {
                let memory = Matrix<Int>(rows: 1, columns: 2)
                try cluster.leader.wait(
                    for: cluster.leader.receive(Message(memory), from: rank, tag: .partial(number)))
                #expect(memory.elements == [next[number], rank])
                next[number] += 3
            }
            let memory = Matrix<Int>(rows: 1, columns: 2)
            cluster.leader.send([Message([7, rank])], to: rank, tag: .command)
            try cluster.leader.wait(for: cluster.leader.receive(Message(memory), from: rank, tag: .reply))
            #expect(memory.elements == [7, rank])
        }
        #expect(cluster.leave().isEmpty)
    }

    @Test("Several messages are done when the last of them is; long ones travel in parts")
    func groups() throws {
        let values = (0..<1_000).map { Double($0) }
        let cluster = try MemoryCluster(ranks: 2) { cluster in
            let parts = Message(values).parts(of: 777)
            try cluster.communicator.wait(
                for: cluster.communicator.send(parts + [Message([1.0])], to: 0, tag: .payload))
        }
        let (memory, last) = (Matrix<Double>(rows: 1, columns: 1_000), Matrix<Double>(rows: 1, columns: 1))
        let parts = Message(memory).parts(of: 777)
        #expect(parts.count == 11 && parts.reduce(0) { $0 + $1.bytes.count } == 8_000)
        let calls = Atomic(0)
        let pending = cluster.leader.receive(parts + [Message(last)], from: 1, tag: .payload) {
            calls.add(1, ordering: .relaxed)
        }
        try cluster.leader.wait(for: pending)
        #expect(memory.elements == values && last.elements == [1] && calls.load(ordering: .relaxed) == 1)
        #expect(cluster.leave().isEmpty)
    }

    @Test("A rank that is not heard of fails every wait, on it and on rank 0, now and later")
    func silence() throws {
        let cluster = try MemoryCluster(ranks: 3, patience: 1.5) { _ in }
        // Those who live are heard of for longer than that.
        sleep(3)
        #expect(cluster.leader.failure == nil)
        cluster.network.cut(1)
        let memory = Matrix<Int>(rows: 1, columns: 1)
        for rank in [1, 2] {
            let error = #expect(throws: ClusterError.self) {
                try cluster.leader.wait(for: cluster.leader.receive(Message(memory), from: rank, tag: .reply))
            }
            #expect(error == .silent(rank: 1, seconds: 1))
        }
        #expect(cluster.leader.failure == .silent(rank: 1, seconds: 1))
        // Rank 0 has stopped its own signs of life.
        #expect(
            cluster.leave() == [1: .silent(rank: 0, seconds: 1), 2: .silent(rank: 0, seconds: 1)])
    }

    @Test("Rank 0 hears of a signal that another rank received")
    func signals() throws {
        let heard = Monitor<Int32>(0)
        let cluster = try MemoryCluster(
            ranks: 2, signal: { 15 }, onSignal: { number in heard.change { $0 = number } }, { _ in })
        #expect(heard.wait { $0 > 0 ? $0 : nil } == 15)
        #expect(cluster.leave().isEmpty)
    }
}

@Suite("What ranks do together")
struct TogetherTests {
    private struct Trouble: Error {}

    /// What rank 0 throws if each rank does the same.
    private func outcome(_ body: @escaping @Sendable (Cluster) throws -> String) throws -> (any Error)? {
        @Sendable func run(_ cluster: Cluster) throws -> String {
            func facts(_ text: String) -> [Cluster.Fact] { [Cluster.Fact("text", text)] }
            func describe(_ error: any Error) -> Cluster.Failure { Cluster.Failure(reason: "\(error)", code: 66) }
            return try cluster.together(describe: describe, facts: facts) { try body(cluster) }
        }
        let cluster = try MemoryCluster(ranks: 3) { _ = try? run($0) }
        let leader = Cluster(cluster.leader)
        defer { #expect(cluster.leave().isEmpty) }
        do {
            #expect(try run(leader) == "same")
            return nil
        } catch {
            #expect(leader.isAtOne)
            return error
        }
    }

    @Test("It works only if it works everywhere, and all have the same")
    func failures() throws {
        #expect(try outcome { _ in "same" } == nil)
        let differs = try outcome { $0.rank == 2 ? "other" : "same" }
        #expect(differs as? ClusterError == .differs(rank: 2, what: "text", theirs: "other", ours: "same"))
        let failed = try outcome { if $0.rank == 1 { throw Trouble() } else { return "same" } }
        #expect(failed as? ClusterError == .failed(rank: 1, reason: "Trouble()", code: 66))
        // Its own error is told as it is.
        #expect(try outcome { _ in throw Trouble() } is Trouble)
    }

    @Test("Values of all ranks are collected in order, and those of rank 0 shared")
    func values() throws {
        let cluster = try MemoryCluster(ranks: 3) { cluster in
            let mine = try cluster.share(value: [Double]())
            precondition(mine.count == 3 && mine[1].isInfinite)
            _ = try cluster.collect(value: [mine[0] * Double(cluster.rank), -.infinity])
        }
        let leader = Cluster(cluster.leader)
        _ = try leader.share(value: [0.1, .infinity, 1e-300])
        #expect(try leader.collect(value: [0.0]) == [[0], [0.1, -.infinity], [0.2, -.infinity]])
        #expect(cluster.leave().isEmpty)
    }
}
