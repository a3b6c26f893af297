import RecurrentNetwork
import TestSupport
import Testing

@testable import Training

@Suite("Engines")
struct EngineTests {
    @Test("Two engines that share the lanes give the same results as one, to the bit", arguments: GoldenTraining.all)
    func halves(_ training: GoldenTraining) throws {
        let folder = try TemporaryFolder()
        func hash(_ name: String, _ makeEngine: (EngineSetup<Float>) -> any Engine<Float>) throws -> String {
            let output = folder.file(name)
            try training.run(
                to: output, threads: 2, resuming: nil, stopAfter: training.stop, engine: makeEngine)
            if training.stop != nil {
                // A training that one engine left goes on with another.
                try training.run(
                    to: output, threads: 1, resuming: GoldenTraining.last(output), stopAfter: nil,
                    engine: { ThreadedEngine($0) })
            }
            return Tensors.sha256([output, GoldenTraining.last(output)])
        }
        #expect(try hash("a.safetensors") { ThreadedEngine($0) } == hash("b.safetensors") { PairedEngine($0) })
    }
}
