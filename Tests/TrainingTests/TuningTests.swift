import CharacterModel
import Cluster
import Concurrency
import Foundation
import Randomness
import RecurrentNetwork
import Synchronization
import TestSupport
import Testing

@testable import Training

/// Tuning: what is drawn, who wins, and what is left on the disk.
@Suite struct TuningTests {
    private static let line = """
        {"epoch":1,"exact":false,"seconds":2,"step":3,"validation_bits_per_character":4,"validation_nats":5}

        """

    private func recommended(_ data: TrainingData, rate: Double = 0.01) throws -> TuningCandidate {
        TuningCandidate(
            configuration: try ModelConfiguration(
                cell: .gru, hidden: 16, embedding: 4, vocabularySize: data.vocabulary.count, dropout: 0.1),
            learningRate: rate, window: 16)
    }

    @Test func drawsWhatIsFreeAndNothingElse() throws {
        let data = try TrainingFixture(text: sampleText).data()
        let first = try recommended(data)
        let all = first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 1)
        #expect(all.count == 30 && all[0] == first)
        for (index, candidate) in all.enumerated() {
            #expect(!all[..<index].contains(candidate), "two are alike")
            try candidate.configuration.validate()
            #expect(candidate.learningRate > 0.003 && candidate.learningRate < 0.0301)
        }
        #expect(Set(all.map(\.window)) == [8, 16, 32] && Set(all.map(\.configuration.layers)) == [1, 2])
        #expect(all == first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 1))
        #expect(all != first.neighbours(30, free: Set(TuningCandidate.Dimension.allCases), seed: 2))
        let rates = first.neighbours(5, free: [.learningRate], seed: 1)
        #expect(rates.count == 5)
        for candidate in rates {
            #expect(candidate.configuration == first.configuration && candidate.window == first.window)
        }
        #expect(first.neighbours(5, free: [], seed: 1) == [first])
        #expect(first.neighbours(9, free: [.layers], seed: 1).count == 2)
        #expect(first.neighbours(9, free: [.window], seed: 1) { $0.window <= 16 }.map(\.window).sorted() == [8, 16])
    }

    @Test func theBestGoesOnAndIsLeftAsATrainingThatCanBeResumed() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        // One learns, two stand still, one explodes.
        let candidates = try [1e-9, 0.01, 2e-9, 1e12].map { try recommended(data, rate: $0) }
        var record = TrainingRecord()
        record.options.batch = 4
        record.options.warmup = 0
        record.options.optimizer = .sgd
        record.options.clip = 1e30
        record.options.maxRecoveries = 0
        var output = Trainer.Output(path: folder.file("m.safetensors"))
        output.metricsPath = folder.file("m.jsonl")
        try Data("the best resumable state of long ago".utf8).write(to: URL(fileURLWithPath: output.lastPath))
        let halving = SuccessiveHalving(candidates, data: data, record: record, output: output, threads: 1)
        // What a stopped tuning left is nobody's model.
        try FileManager.default.createDirectory(atPath: halving.folder, withIntermediateDirectories: true)
        try Data("a candidate".utf8).write(to: URL(fileURLWithPath: halving.output(of: 0).lastPath))
        var results: [SuccessiveHalving.Result] = []
        let winner = try halving.run(seconds: 2.4, observe: { results.append($0) })
        #expect(winner == 1)
        #expect(results.map(\.round) == [1, 1, 1, 1, 2, 2] && results.prefix(4).map(\.index) == [0, 1, 2, 3])
        #expect(results[4].index == 1 && results[3].nats == .infinity)
        #expect(results[1].nats < results[0].nats)
        // It went on from where it was.
        let last = try #require(results.last { $0.index == 1 })
        #expect(last.step > results[1].step && last.nats <= results[1].nats)
        let checkpoint = try Checkpoint(contentsOf: output.lastPath, withState: true)
        #expect(checkpoint.training?.step == last.step && checkpoint.training?.bestValidation == last.nats)
        #expect(checkpoint.configuration == candidates[1].configuration)
        #expect(try Checkpoint(contentsOf: output.path).training?.bestStep == checkpoint.training?.bestStep)
        let lines = try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8)
        #expect(lines.utf8.count == checkpoint.training?.metricsLength && lines.contains("validation_nats"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "m.1.last.safetensors", "m.jsonl", "m.last.safetensors", "m.safetensors",
            ])
    }

    @Test func aTimeThatIsTooShortForAFairChoiceIsToldWithOneThatIsEnough() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let halving = SuccessiveHalving(
            try [0.01, 0.02, 0.03].map { try recommended(data, rate: $0) }, data: data, record: TrainingRecord(),
            output: Trainer.Output(path: folder.file("m.safetensors")), threads: 1)
        func result(_ index: Int, _ step: Int, _ seconds: Double, nats: Double = 2) -> SuccessiveHalving.Result {
            SuccessiveHalving.Result(
                round: 1, index: index, candidate: halving.candidates[index], step: step, tokens: 1, seconds: seconds,
                nats: nats)
        }
        // The slowest takes half a second a step: a hundred of them, for three candidates in two rounds.
        let lack = try #require(halving.lack(of: [result(0, 20, 10), result(1, 2_000, 9), result(2, 99, 9)]))
        #expect(lack.steps == 20 && lack.seconds == 300)
        #expect(halving.lack(of: [result(0, 100, 10), result(1, 2_000, 9), result(2, 100, 9)]) == nil)
        // One that exploded is not judged.
        #expect(halving.lack(of: [result(0, 3, 10, nats: .infinity), result(1, 2_000, 9)]) == nil)
        var told = 0
        _ = try halving.run(
            seconds: 1e-6, events: { if case .unfairChoice(let steps, _) = $0, steps < 100 { told += 1 } })
        #expect(told == 1)
    }

    @Test func theWinnersMetricsTakeThePlaceOfNothingElse() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        var output = Trainer.Output(path: folder.file("m.safetensors"))
        output.metricsPath = folder.file("m.jsonl")
        func halving() throws -> SuccessiveHalving {
            SuccessiveHalving(
                try [0.01, 0.02].map { try recommended(data, rate: $0) }, data: data, record: TrainingRecord(),
                output: output, threads: 1)
        }
        // Found before anything is trained.
        _ = try folder.write("my diary\n", to: "m.jsonl")
        #expect(throws: CheckpointError.self) { try halving().run(seconds: 60) }
        #expect(try String(contentsOfFile: folder.file("m.jsonl"), encoding: .utf8) == "my diary\n")
        // They stay locked to the end, and those of an earlier training are kept.
        _ = try folder.write(Self.line, to: "m.jsonl")
        var isLocked: [Bool] = []
        _ = try halving().run(
            seconds: 0.2,
            observe: { _ in
                let file = open(output.metricsPath!, O_RDWR)
                isLocked.append(flock(file, LOCK_EX | LOCK_NB) != 0)
                close(file)
            })
        #expect(!isLocked.isEmpty && !isLocked.contains(false))
        #expect(try String(contentsOfFile: folder.file("m.1.jsonl"), encoding: .utf8) == Self.line)
        let lines = try Data(contentsOf: URL(fileURLWithPath: folder.file("m.jsonl")))
        #expect(try !MetricsLine.lines(of: lines, name: "m").isEmpty)
    }

    /// Whichever change of a name fails: an earlier training's state never stands beside the winner's best model, and nothing of
    /// the earlier training or of the winner is lost.
    @Test func installingTheWinnerIsSafeWhicheverCallFails() throws {
        let data = try TrainingFixture(text: sampleText).data()
        var failures = 0
        for failing in 1...10 {
            let folder = try TemporaryFolder()
            var output = Trainer.Output(path: folder.file("m.safetensors"))
            output.metricsPath = folder.file("m.jsonl")
            for path in [output.path, output.lastPath] {
                try Data("earlier".utf8).write(to: URL(fileURLWithPath: path))
            }
            try Data(Self.line.utf8).write(to: URL(fileURLWithPath: folder.file("m.jsonl")))
            let calls = Atomic(0)
            let own = folder.path + "/m."
            output.files = UnsteadyDisk { call in
                // Of the files in their place, not of the candidates'.
                guard case .name(let path) = call, path.hasPrefix(own), !path.contains(".tune/") else { return nil }
                return calls.add(1, ordering: .relaxed).newValue == failing ? EIO : nil
            }
            let halving = SuccessiveHalving(
                [try recommended(data)], data: data, record: TrainingRecord(), output: output, threads: 1)
            let winner = try? halving.run(seconds: 0.001)
            func isEarlier(_ name: String) -> Bool {
                (try? String(contentsOfFile: folder.file(name), encoding: .utf8)) == "earlier"
            }
            #expect(isEarlier("m.safetensors") || isEarlier("m.1.safetensors"), "call \(failing)")
            #expect(isEarlier("m.last.safetensors") || isEarlier("m.1.last.safetensors"), "call \(failing)")
            #expect(isEarlier("m.safetensors") || !isEarlier("m.last.safetensors"), "call \(failing)")
            let metrics = ["m.jsonl", "m.1.jsonl"].map { try? String(contentsOfFile: folder.file($0), encoding: .utf8) }
            #expect(metrics.contains(Self.line), "call \(failing)")
            if winner == nil || winner == .some(nil) {
                failures += 1
                #expect(FileManager.default.fileExists(atPath: halving.output(of: 0).lastPath), "call \(failing)")
            }
        }
        // Two second names, a removal, two new names; a second name that fails is a move then.
        #expect(failures == 3)
    }

    @Test func whatIsStoppedIsLeftInTheFolderAndTheOutputIsNotTouched() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let output = Trainer.Output(path: folder.file("m.safetensors"))
        try Data("an earlier model".utf8).write(to: URL(fileURLWithPath: output.path))
        let halving = SuccessiveHalving(
            try [0.01, 0.02].map { try recommended(data, rate: $0) }, data: data, record: TrainingRecord(),
            output: output, threads: 1)
        #expect(try halving.run(seconds: 60, shouldStop: { true }) == nil)
        #expect(try String(contentsOfFile: output.path, encoding: .utf8) == "an earlier model")
        let saved = try Checkpoint(contentsOf: halving.output(of: 0).lastPath, withState: true)
        #expect(saved.training?.step == 1)
    }

    @Test func noneThatLearnsIsAnError() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        var record = TrainingRecord()
        (record.options.optimizer, record.options.clip, record.options.maxRecoveries) = (.sgd, 1e30, 0)
        record.options.warmup = 0
        let halving = SuccessiveHalving(
            try [1e30, 2e30].map { try recommended(data, rate: $0) }, data: data, record: record,
            output: Trainer.Output(path: folder.file("m.safetensors")), threads: 1)
        #expect(throws: TrainingError.self) { try halving.run(seconds: 0.5) }
    }

    @Test func ranksShareTheCandidatesAndAgreeOnTheWinner() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let candidates = try [1e-9, 0.01, 2e-9, 1e12, 3e-9].map { try recommended(data, rate: $0) }
        var record = TrainingRecord()
        (record.options.batch, record.options.warmup, record.options.optimizer) = (4, 0, .sgd)
        (record.options.clip, record.options.maxRecoveries) = (1e30, 0)
        let (options, output) = (record, Trainer.Output(path: folder.file("m.safetensors")))
        @Sendable func winner(_ cluster: Cluster, _ observe: (SuccessiveHalving.Result) -> Void) throws -> Int? {
            try SuccessiveHalving(
                candidates, data: data, record: options, output: output, threads: 1, cluster: cluster
            ).run(seconds: 1.8, observe: observe)
        }
        let others = Mutex<[Int?]>([])
        let cluster = try MemoryCluster(ranks: 3) { cluster in
            let index = try winner(cluster) { _ in }
            others.withLock { $0.append(index) }
        }
        var results: [SuccessiveHalving.Result] = []
        #expect(try winner(Cluster(cluster.leader)) { results.append($0) } == 1)
        #expect(cluster.leave().isEmpty && others.withLock { $0 == [1, 1] })
        #expect(results.prefix(5).map(\.index) == [0, 1, 2, 3, 4] && results[3].nats == .infinity)
        #expect(results.map(\.round) == [1, 1, 1, 1, 1, 2, 2, 2, 3, 3])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "m.last.safetensors", "m.safetensors",
            ])
    }

    @Test func aTuningThatIsStartedAgainKeepsWhatCandidatesHaveFinished() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let candidates = try [0.01, 0.02, 0.03].map { try recommended(data, rate: $0) }
        func results(seed: UInt64 = 1, stopAfter count: Int) throws -> [SuccessiveHalving.Result] {
            var record = TrainingRecord()
            record.options.seed = seed
            let halving = SuccessiveHalving(
                candidates, data: data, record: record, output: Trainer.Output(path: folder.file("m.safetensors")),
                threads: 1)
            let results = Mutex<[SuccessiveHalving.Result]>([])
            let stops = Atomic(count == 0)
            let winner = try halving.run(
                seconds: 0.6, shouldStop: { stops.load(ordering: .relaxed) },
                observe: { result in
                    results.withLock { $0.append(result) }
                    if results.withLock({ $0.count }) == count { stops.store(true, ordering: .relaxed) }
                })
            #expect((winner == nil) == (count < 5))
            return results.withLock { $0 }
        }
        let first = try results(stopAfter: 2)
        // Another tuning finds nothing of its own, and begins to overwrite the first candidate's files.
        let other = try results(seed: 2, stopAfter: 0)
        #expect(first.count == 2 && other.isEmpty)
        // So that candidate is lost to the first tuning, but not the second one.
        let again = try results(stopAfter: 99)
        #expect(again.count == 5 && again[1].step == first[1].step && again[1].nats == first[1].nats)
        #expect(again[1].seconds == first[1].seconds)
        #expect(again[0].seconds != first[0].seconds, "figures of files that another tuning has overwritten")
    }

    @Test func aJournalThatNamesAnotherCandidateIsNotBelieved() throws {
        let folder = try TemporaryFolder()
        let data = try TrainingFixture(text: sampleText).data()
        let candidates = [try recommended(data)]
        let journal = TuningJournal(
            folder: folder.path, candidates, TrainingRecord(), seconds: 1, ranks: 1)
        journal.add(SuccessiveHalving.Outcome(round: 1, index: 0, step: 7, seconds: 1, nats: 2), of: 0)
        #expect(journal.outcomes(of: 0).map(\.step) == [7])
        let path = folder.file("0.json")
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        for (old, new) in [("\"index\":0", "\"index\":99"), ("\"step\":7", "\"step\":-1"), ("{", "[")] {
            #expect(whole.contains(old))
            try Data(whole.replacing(old, with: new).utf8).write(to: URL(fileURLWithPath: path))
            #expect(journal.outcomes(of: 0).isEmpty, "\(new)")
        }
        // Another time for the tuning, or another number of ranks, is another tuning.
        try Data(whole.utf8).write(to: URL(fileURLWithPath: path))
        for (seconds, ranks) in [(2.0, 1), (1, 2)] {
            let other = TuningJournal(folder: folder.path, candidates, TrainingRecord(), seconds: seconds, ranks: ranks)
            #expect(other.outcomes(of: 0).isEmpty)
        }
    }
}
