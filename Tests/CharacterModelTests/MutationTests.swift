import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Training

@testable import CharacterModel

/// Damage that a checksum would find, done by somebody who can compute one.
@Suite("Mutated checkpoints")
struct MutationTests {
    /// `MUTATIONS=100000 swift test --filter MutationTests` takes longer.
    private static let count = ProcessInfo.processInfo.environment["MUTATIONS"].flatMap(Int.init) ?? 3_000

    /// A checkpoint of another header or other data, the checksum left out.
    private func mutated(_ bytes: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
        let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = Array(bytes[8..<8 + length])
        var data = Array(bytes[(8 + length)...])
        // Another key is no checksum.
        if let field = header.firstRange(of: Array("checksum".utf8)) {
            header.replaceSubrange(field, with: "chksum__".utf8)
        }
        func draw(_ count: Int) -> Int { Int(generator.next() % UInt64(max(1, count))) }
        for _ in 0...draw(4) {
            switch draw(7) {
            case 0: header[draw(header.count)] = UInt8(draw(256))
            case 1: header.removeSubrange(draw(header.count)..<header.count)
            case 2: header.insert(contentsOf: header.prefix(draw(60)), at: draw(header.count))
            case 3 where !data.isEmpty: data[draw(data.count)] = UInt8(draw(256))
            case 4: data.removeLast(draw(data.count))
            case 5: data += [UInt8](repeating: UInt8(draw(256)), count: draw(64))
            default:
                // A number becomes another.
                let numbers = ["0", "1", "9", "65536", "4294967296", "9223372036854775807", "-1", "1e300"]
                let digits = header.indices.filter { (0x30...0x39).contains(header[$0]) }
                guard let place = digits.isEmpty ? nil : digits[draw(digits.count)] else { break }
                header.replaceSubrange(place...place, with: numbers[draw(numbers.count)].utf8)
            }
            if header.isEmpty { header = [0x7B] }
        }
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + data
    }

    private func peakMemory() -> Int {
        var usage = rusage()
        getrusage(0, &usage)  // RUSAGE_SELF
        return usage.ru_maxrss * 1_024
    }

    @Test("Any mutated checkpoint is either read or refused, quickly and with little memory")
    func mutations() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        var generator = SplitMix64(seed: 2)
        var originals = try ["lstm", "gru", "rnn"].map {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("v1-\($0).safetensors"))))
        }
        var counting = TrainingFixture(text: String(sampleText.prefix(600)))
        (counting.counts, counting.options.budget) = (true, .steps(1))
        _ = try counting.run(output: folder.file("counts.safetensors"))
        originals.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("counts.safetensors")))))
        var (read, slowest) = (0, 0.0)
        let before = peakMemory()
        for index in 0..<Self.count {
            try Data(mutated(originals[index % originals.count], &generator)).write(to: URL(fileURLWithPath: path))
            let began = Date()
            // As `sample` loads it, and the first symbol.
            if let model = try? LanguageModel(contentsOf: path) {
                read += 1
                _ = try model.generator(strategy: .greedy, seed: 1).next()
            }
            slowest = max(slowest, Date().timeIntervalSince(began))
        }
        #expect(read < Self.count)
        guard Self.count > 10_000 else { return }
        // Alone in its process: other tests take memory and time of their own.
        #expect(peakMemory() - before < 64 << 20 && slowest < 1)
        print("\(Self.count) mutations, \(read) of them read; the slowest took \(slowest) s")
    }
}
