import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing

@testable import CharacterModel
@testable import Training

/// Trainings whose tensors are known to the bit: what decides results does not change by accident.
///
/// `Fixtures/golden.json` holds, for each compiler and kernel level, the SHA-256 of the tensors that each training leaves. With
/// GOLDEN_RECORD=FILE the tests write what they find; with GOLDEN_REQUIRED they may not be skipped.
@Suite("Golden trainings")
struct GoldenTests {
    /// Hashes by compiler, level and training.
    typealias Hashes = [String: [String: [String: String]]]

    private func recorded() throws -> Hashes {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/golden", withExtension: "json"))
        return try JSONDecoder().decode(Hashes.self, from: Data(contentsOf: url))
    }

    /// What the trainings leave at a level, in a process of its own, for a process has one level.
    private func compute(_ level: KernelLevel) async throws -> [String: String] {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [level = level.rawValue as Int32] in
            KernelLevel.force(KernelLevel(rawValue: level)!)
            let folder = try TemporaryFolder()
            for training in GoldenTraining.all {
                let hashes = try [1, 3].map { try training.hash(threads: $0, in: folder) }
                try #require(hashes[0] == hashes[1], "\(training.name) depends on the number of threads")
                print("golden", training.name, hashes[0], separator: "\t")
            }
        }
        let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        let fields = output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        return Dictionary(
            uniqueKeysWithValues: fields.filter { $0.first == "golden" && $0.count == 3 }.map { ($0[1], $0[2]) })
    }

    @Test("Trainings produce the recorded tensors, at every kernel level and number of threads")
    func tensors() async throws {
        let environment = ProcessInfo.processInfo.environment
        let known = try recorded()[KernelLevel.compiler] ?? [:]
        var found: [String: [String: String]] = [:]
        for level in KernelLevel.allCases where level.rawValue <= KernelLevel.best.rawValue {
            // The C library's functions differ with the processor below AVX2, and decide first weights.
            guard KernelLevel.best != .portable,
                known["\(level.arithmetic)"] != nil || environment["GOLDEN_RECORD"] != nil
            else {
                print("golden trainings at \(level): skipped (recorded on another compiler or processor)")
                continue
            }
            // A level that only adds speed must give the bits of the one below.
            if environment["GOLDEN_RECORD"] != nil, level != level.arithmetic { continue }
            found["\(level)"] = try await compute(level)
        }
        if let path = environment["GOLDEN_RECORD"] {
            var all = try recorded()
            all[KernelLevel.compiler, default: [:]].merge(found) { $1 }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(all).write(to: URL(fileURLWithPath: path))
            return
        }
        for (level, hashes) in found {
            let known = try #require(known["\(level)"] ?? known["\(KernelLevel.avx512)"])
            #expect(Set(hashes.keys) == Set(known.keys))
            for (name, hash) in hashes { #expect(hash == known[name], "\(name) at \(level)") }
            print("golden trainings at \(level): \(hashes.count) compared")
        }
        #expect(!found.isEmpty || environment["GOLDEN_REQUIRED"] == nil, "no golden training could be compared")
    }

    /// Written before the cells, the engine and the trainer were taken apart, with AVX2: trainings stopped after 23 steps.
    @Test("Checkpoints of earlier versions resume to the same bits", arguments: ["lstm", "gru"])
    func earlierCheckpoints(cell: String) async throws {
        let path = try #require(
            Bundle.module.url(forResource: "Fixtures/v1-golden-\(cell).last", withExtension: "safetensors"))
        let isComparable = try KernelLevel.best != .portable && recorded()[KernelLevel.compiler] != nil
        if !isComparable {
            print("earlier checkpoint of \(cell): its bits are not compared on this compiler or processor")
        }
        await #expect(processExitsWith: .success) {
            [cell = cell as String, path = path.path as String, isComparable = isComparable as Bool] in
            if isComparable { KernelLevel.force(.avx2) }
            let folder = try TemporaryFolder()
            var training = GoldenTraining.all.first {
                $0.name == (cell == "lstm" ? "lstm, records" : "gru, weight dropout")
            }!
            training.layers = 1
            let (whole, resumed) = (folder.file("a.safetensors"), folder.file("b.safetensors"))
            try training.run(to: whole, threads: 1, resuming: nil, stopAfter: nil)
            try training.run(to: resumed, threads: 2, resuming: path, stopAfter: nil)
            let hashes = [whole, resumed].map { Tensors.sha256([GoldenTraining.last($0)]) }
            try #require(hashes[0] == hashes[1] || !isComparable)
        }
    }
}
