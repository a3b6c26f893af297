import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import Synchronization
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel
@testable import Training

@Suite("Crashes and full disks")
struct CrashTests {
    private func checkpoint(seed: UInt64) throws -> Checkpoint {
        let corpus = try Corpus(reading: [.bytes(Array("abc".utf8), name: "t")])
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let model = try ModelConfiguration(hidden: 2, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(model)
        parameters.initialize(model, seed: seed)
        return Checkpoint(
            configuration: model, vocabulary: vocabulary, parameters: parameters, training: TrainingRecord(), state: nil
        )
    }

    private func bytes(_ checkpoint: Checkpoint) throws -> [UInt8] {
        let disk = SimulatedDisk()
        try checkpoint.write(to: "d/m", on: disk)
        return try #require(disk.files["d/m"])
    }

    /// The order of write, flush, rename, flush of the folder, tried at each call.
    @Test("Power lost after any system call leaves the old checkpoint or the new one, whole")
    func powerLoss() throws {
        let (old, new) = (try bytes(checkpoint(seed: 1)), try bytes(checkpoint(seed: 2)))
        let whole = SimulatedDisk(["d/m": old])
        try checkpoint(seed: 2).write(to: "d/m", on: whole)
        #expect(whole.calls > 10)
        for call in 1...whole.calls {
            let disk = SimulatedDisk(["d/m": old], failing: (call, EIO, true))
            #expect(throws: CheckpointError.self, "call \(call)") {
                try checkpoint(seed: 2).write(to: "d/m", on: disk)
            }
            for found in disk.afterPowerLoss {
                #expect(found["d/m"] == old || found["d/m"] == new, "after call \(call) of \(whole.calls)")
            }
        }
        // Once it has returned, the new one is there for certain.
        #expect(whole.afterPowerLoss.allSatisfy { $0 == ["d/m": new] })
    }

    @Test("A system call that fails once leaves the old checkpoint, or the new one, and no temporary file")
    func failures() throws {
        let (old, new) = (try bytes(checkpoint(seed: 1)), try bytes(checkpoint(seed: 2)))
        let whole = SimulatedDisk(["d/m": old])
        try checkpoint(seed: 2).write(to: "d/m", on: whole)
        for call in 1...whole.calls {
            for error in [ENOSPC, EIO, EROFS, EDQUOT, EFBIG] {
                let disk = SimulatedDisk(["d/m": old], failing: (call, error, false))
                #expect(throws: CheckpointError.self) {
                    try checkpoint(seed: 2).write(to: "d/m", on: disk)
                }
                #expect(disk.files == ["d/m": old] || disk.files == ["d/m": new], "call \(call)")
                // It can be tried again.
                try checkpoint(seed: 2).write(to: "d/m", on: disk)
                #expect(disk.files == ["d/m": new])
            }
        }
    }

    @Test("An earlier training's files have a name at every moment, and are never mixed with the new model")
    func earlier() throws {
        let (old, state, new) = (
            try bytes(checkpoint(seed: 1)), try bytes(checkpoint(seed: 3)), try bytes(checkpoint(seed: 2))
        )
        let (best, last) = ("d/m.safetensors", "d/m.last.safetensors")
        let (kept, keptLast) = ("d/m.4.safetensors", "d/m.4.last.safetensors")
        let files = [best: old, last: state]
        let earlier = EarlierFiles([best, last], number: 4, stale: last)
        let whole = SimulatedDisk(files)
        try checkpoint(seed: 2).write(to: best, replacing: earlier, on: whole)
        #expect(whole.files == [best: new, kept: old, keptLast: state])
        for call in 1...whole.calls {
            let disk = SimulatedDisk(files, failing: (call, EIO, true))
            try? checkpoint(seed: 2).write(to: best, replacing: earlier, on: disk)
            for found in disk.afterPowerLoss {
                #expect(found[best] == old || found[best] == new)
                // Nothing is lost, whole pairs stand together, the new model never beside the other training's state.
                #expect(found[best] == old || found[kept] == old, "after call \(call)")
                #expect(found[last] == state || found[keptLast] == state, "after call \(call)")
                #expect(found[best] == old || found[last] == nil, "after call \(call)")
            }
            // And it can be tried again.
            let again = SimulatedDisk(files, failing: (call, EIO, false))
            if (try? checkpoint(seed: 2).write(to: best, replacing: earlier, on: again)) == nil {
                try checkpoint(seed: 2).write(to: best, replacing: earlier, on: again)
            }
            #expect(again.files == [best: new, kept: old, keptLast: state], "after call \(call)")
        }
    }

    @Test("An earlier model is kept even if the first attempts to save fail", arguments: [true, false])
    func keptAfterFailures(hasState: Bool) throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        (fixture.options.budget, fixture.options.evaluateEvery) = (.steps(6), 2)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        if !hasState { try FileManager.default.removeItem(atPath: folder.file("m.last.safetensors")) }
        let disk = UnsteadyDisk()
        (fixture.files, fixture.hidden, fixture.checkpointEvery) = (disk, 7, 0)
        disk.fill(true)
        _ = try fixture.run(output: folder.file("m.safetensors")) { event in
            if case .step(let report) = event, report.step == 5 { disk.fill(false) }
            if case .validation(let report) = event, report.step >= 4 { disk.fill(false) }
        }
        #expect(try Checkpoint(contentsOf: folder.file("m.safetensors")).configuration.hidden == 7)
        #expect(try Checkpoint(contentsOf: folder.file("m.1.safetensors")).configuration.hidden == 12)
        #expect(FileManager.default.fileExists(atPath: folder.file("m.1.last.safetensors")) == hasState)
        #expect(!FileManager.default.fileExists(atPath: folder.file("m.2.safetensors")))
    }

    @Test("A model that is overwritten is removed only when the new file is complete on the disk")
    func overwriting() throws {
        let (old, new) = (try bytes(checkpoint(seed: 1)), try bytes(checkpoint(seed: 2)))
        let files = ["d/m": old, "d/m.last": old]
        let earlier = EarlierFiles(["d/m", "d/m.last"], number: nil, stale: "d/m.last")
        let whole = SimulatedDisk(files)
        try checkpoint(seed: 2).write(to: "d/m", replacing: earlier, on: whole)
        #expect(whole.files == ["d/m": new])
        for call in 1...whole.calls {
            let disk = SimulatedDisk(files, failing: (call, EIO, true))
            try? checkpoint(seed: 2).write(to: "d/m", replacing: earlier, on: disk)
            for found in disk.afterPowerLoss {
                #expect(found["d/m"] == old || found["d/m"] == new)
                // The new model never stands beside the other training's state.
                #expect(found["d/m"] == old || found["d/m.last"] == nil, "after call \(call)")
            }
        }
    }

    @Test("Files are moved if the file system has no hard links")
    func withoutLinks() throws {
        let folder = try TemporaryFolder()
        for name in ["m.safetensors", "m.last.safetensors"] { _ = try folder.write(name, to: name) }
        let paths = ["m.safetensors", "m.last.safetensors"].map(folder.file)
        #expect(try EarlierFiles.number(for: paths) == 1)
        try EarlierFiles(paths, number: 1, stale: nil).keep(on: PlainDisk())
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == ["m.1.last.safetensors", "m.1.safetensors"])
        #expect(try EarlierFiles.number(for: paths) == nil)
        for number in 2..<100 { _ = try folder.write("x", to: "m.\(number).last.safetensors") }
        _ = try folder.write("x", to: "m.safetensors")
        #expect(throws: CheckpointError.tooMany(path: paths[0])) { try EarlierFiles.number(for: paths) }
    }

    /// A file system without hard links.
    private struct PlainDisk: FileSystem {
        private let files = SystemFiles()

        func create(_ path: String) throws(SystemError) -> Int32 { try files.create(path) }
        func write(
            _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int
        ) throws(SystemError) -> Int { try files.write(bytes, to: descriptor, at: offset) }
        func flush(_ descriptor: Int32) throws(SystemError) { try files.flush(descriptor) }
        func close(_ descriptor: Int32) throws(SystemError) { try files.close(descriptor) }
        func rename(_ path: String, to other: String) throws(SystemError) { try files.rename(path, to: other) }
        func link(_ path: String, to other: String) throws(SystemError) { throw SystemError(code: EPERM) }
        func remove(_ path: String) throws(SystemError) { try files.remove(path) }
        func flushFolder(_ path: String) throws(SystemError) { try files.flushFolder(path) }
    }

    @Test("A disk that is full for a while changes nothing: both files end the same")
    func unsteady() throws {
        let folder = try TemporaryFolder()
        // What validates is rare in training, so that the best model is an early one.
        var fixture = TrainingFixture(text: sampleText + String(repeating: "Q", count: sampleText.count / 9))
        fixture.options.budget = .steps(30)
        fixture.options.evaluateEvery = 2
        fixture.options.warmup = 0
        fixture.checkpointEvery = 0
        _ = try fixture.run(output: folder.file("a.safetensors"))
        let disk = UnsteadyDisk()
        fixture.files = disk
        var (failures, steps) = (0, 0)
        disk.fill(true)
        fixture.logEvery = 1
        _ = try fixture.run(output: folder.file("b.safetensors")) { event in
            if case .notSaved = event { failures += 1 }
            if case .step = event { steps += 1 }
            disk.fill(steps < 20)
        }
        #expect(failures > 10)
        for suffix in ["", ".last"] {
            let (a, b) = (
                try Checkpoint(contentsOf: folder.file("a\(suffix).safetensors"), withState: !suffix.isEmpty),
                try Checkpoint(contentsOf: folder.file("b\(suffix).safetensors"), withState: !suffix.isEmpty)
            )
            #expect(a.parameters.elements == b.parameters.elements, "\(suffix)")
            #expect(a.training?.step == b.training?.step && a.training?.bestStep == b.training?.bestStep)
            #expect(a.state?.lanes == b.state?.lanes)
        }
        let best = try #require(try Checkpoint(contentsOf: folder.file("a.safetensors")).training)
        #expect(best.step < 20)
    }

    @Test("A disk that stays full ends the training with an error, and what was saved is intact")
    func full() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(10)
        fixture.checkpointEvery = 0
        let path = folder.file("m.safetensors")
        _ = try fixture.run(output: path)
        let before = try [path, folder.file("m.last.safetensors")].map {
            try Data(contentsOf: URL(fileURLWithPath: $0))
        }
        let disk = UnsteadyDisk()
        disk.fill(true)
        fixture.files = disk
        #expect(throws: CheckpointError.cannotWrite(path: path, reason: "No space left on device")) {
            try fixture.run(output: path)
        }
        let after = try [path, folder.file("m.last.safetensors")].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(after == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    @Test("Metrics that cannot be written do not block checkpoints, and are not lost")
    func metrics() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(20)
        fixture.logEvery = 1
        fixture.metrics = "/dev/full"
        var flaws = 0
        #expect(throws: CheckpointError.cannotWrite(path: "/dev/full", reason: "No space left on device")) {
            try fixture.run(output: folder.file("m.safetensors")) { if case .notSaved = $0 { flaws += 1 } }
        }
        let last = try Checkpoint(contentsOf: folder.file("m.last.safetensors"), withState: true)
        #expect(flaws == 1 && last.training?.step == 20 && last.training?.isFinished == true)
        #expect(last.training?.metricsWaiting?.split(separator: "\n").count ?? 0 >= 20)
    }

    @Test("A folder that was removed is created again; a link is kept")
    func places() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("d"), withIntermediateDirectories: true)
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(6)
        fixture.logEvery = 1
        let gone = folder.file("d")
        _ = try fixture.run(output: folder.file("d/m.safetensors")) { event in
            if case .step(let report) = event, report.step == 2 { try? FileManager.default.removeItem(atPath: gone) }
        }
        _ = try Checkpoint(contentsOf: folder.file("d/m.last.safetensors"), withState: true)
        let link = folder.file("link.safetensors")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file("d/m.safetensors"))
        fixture.hidden = 7
        _ = try fixture.run(output: link)
        #expect(try Checkpoint(contentsOf: folder.file("d/m.safetensors")).configuration.hidden == 7)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == folder.file("d/m.safetensors"))
        #expect(try Checkpoint(contentsOf: folder.file("d/m.1.safetensors")).configuration.hidden == 12)
    }

    @Test("Two trainings never write one output")
    func lock() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        var held: OutputLock? = try OutputLock(of: path)
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(1)
        #expect(throws: CheckpointError.inUse(path: path)) { try fixture.run(output: path) }
        #expect(held != nil)
        held = nil
        _ = try fixture.run(output: path)
        // A lock file that a killed process left holds nothing.
        _ = try folder.write("", to: "m.safetensors.lock")
        _ = try fixture.run(output: path)
        // The second training kept what the first one had made.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "m.1.last.safetensors", "m.1.safetensors", "m.last.safetensors", "m.safetensors",
            ])
    }
}
