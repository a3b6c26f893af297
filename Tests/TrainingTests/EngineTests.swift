import CharacterModel
import Cluster
import TestSupport
import Testing

@testable import Training

@Suite("Engines")
struct EngineTests {
    /// What a training leaves: the hash of its tensors, and its record without times.
    private struct Left: Equatable {
        var tensors: String
        var record: TrainingRecord

        init(_ output: String) throws {
            tensors = Tensors.sha256([output, GoldenTraining.last(output)])
            record = try #require(try Checkpoint(contentsOf: GoldenTraining.last(output)).training)
            (record.seconds, record.pendingSeconds) = (0, 0)
        }
    }

    /// Runs a training to its end.
    ///
    /// - Parameters:
    ///   - ranks: before and after it is stopped, for one that is; 1 is the usual engine.
    private func run(
        _ training: GoldenTraining, ranks: [Int], threads: Int, in folder: TemporaryFolder
    ) throws -> Left {
        let output = folder.file("\(ranks) \(threads).safetensors")
        for (index, count) in ranks.enumerated() {
            let cluster = try MemoryCluster(ranks: count, threads: threads)
            try training.run(
                to: output, threads: threads, resuming: index > 0 ? GoldenTraining.last(output) : nil,
                stopAfter: index < ranks.count - 1 ? training.stop : nil,
                engine: { try cluster.engine($0) })
            #expect(cluster.leave().isEmpty)
        }
        return try Left(output)
    }

    @Test("Ranks that share the lanes give the same results as one process, to the bit", arguments: GoldenTraining.all)
    func ranks(_ training: GoldenTraining) throws {
        let folder = try TemporaryFolder()
        let alone = try run(training, ranks: training.stop == nil ? [1] : [1, 1], threads: 1, in: folder)
        let shared = training.stop == nil ? [[2], [3], [4]] : [[2, 3], [3, 1], [1, 4]]
        for (index, ranks) in shared.enumerated() {
            #expect(try run(training, ranks: ranks, threads: 1 + index % 2, in: folder) == alone, "\(ranks) ranks")
        }
    }

    @Test("Groups of lanes that take turns give the same results, to the bit", arguments: GoldenTraining.all)
    func turns(_ training: GoldenTraining) throws {
        let folder = try TemporaryFolder()
        let alone = try run(training, ranks: training.stop == nil ? [1] : [1, 1], threads: 1, in: folder)
        for (threads, ranks) in [(1, 1), (3, 1), (1, 2)] {
            let output = folder.file("turns \(threads) \(ranks).safetensors")
            let cluster = try MemoryCluster(ranks: ranks, threads: threads)
            try training.run(
                to: output, threads: threads, resuming: nil, stopAfter: nil,
                engine: { setup in
                    var setup = setup
                    setup.windowBytes = 0
                    return try cluster.engine(setup)
                })
            #expect(cluster.leave().isEmpty)
            #expect(try Left(output).tensors == alone.tensors, "\(threads) threads, \(ranks) ranks")
        }
    }

    @Test("A rank that dies ends the training with an error; what was saved goes on with any number of ranks, exactly")
    func death() throws {
        let folder = try TemporaryFolder()
        let training = GoldenTraining.all.first { $0.stop != nil }!
        let expected = try run(training, ranks: [1, 1], threads: 1, in: folder)
        let output = folder.file("m.safetensors")
        // The first part is saved.
        let first = try MemoryCluster(ranks: 2)
        try training.run(
            to: output, threads: 1, resuming: nil, stopAfter: training.stop, engine: { try first.engine($0) })
        #expect(first.leave().isEmpty)
        let saved = Tensors.sha256([GoldenTraining.last(output)])
        let cluster = try MemoryCluster(ranks: 4, patience: 2)
        let error = #expect(throws: TrainingError.self) {
            try training.run(
                to: output, threads: 1, resuming: GoldenTraining.last(output), stopAfter: nil,
                engine: { try cluster.engine($0) },
                observe: { if case .step(let report) = $0, report.step == 40 { cluster.network.cut(2) } })
        }
        guard case .cluster(.silent(rank: 2, _)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cluster.leave().count == 3)
        #expect(Tensors.sha256([GoldenTraining.last(output)]) == saved)
        let last = try MemoryCluster(ranks: 3)
        try training.run(
            to: output, threads: 1, resuming: GoldenTraining.last(output), stopAfter: nil,
            engine: { try last.engine($0) })
        #expect(last.leave().isEmpty)
        #expect(try Left(output) == expected)
    }
}
