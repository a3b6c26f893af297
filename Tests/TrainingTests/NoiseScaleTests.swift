import CharacterModel
import Cluster
import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing

@testable import Training

@Suite("Gradient noise scale")
struct NoiseScaleTests {
    @Test("The estimate from halves is the ratio of variance and squared mean of Gaussian gradients")
    func ofGaussian() {
        // Gradients g = mean + noise of n dimensions: |mean|^2 = 4, tr(S) = n * 0.25.
        let (n, batch, lanes) = (40, 12, 5)
        var generator = SplitMix64(seed: 5, stream: 1)
        var pending = PendingNoise()
        for _ in 0..<20_000 {
            var (half, whole) = (Array(repeating: 0.0, count: n), Array(repeating: 0.0, count: n))
            for lane in 0..<batch {
                for at in 0..<n {
                    let value = (at == 0 ? 2 : 0) + 0.5 * gaussian(using: &generator)
                    if lane < lanes { half[at] += value / Double(lanes) }
                    whole[at] += value / Double(batch)
                }
            }
            func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
            pending.add(half: squares(half), lanes: lanes, whole: squares(whole), batch: batch)
        }
        // The standard error of both means is below a hundredth.
        #expect(abs(pending.signal / 20_000 - 4) < 0.05 && abs(pending.noise / 20_000 - 10) < 0.2)
        #expect(abs(pending.scale! - 2.5) < 0.1)
    }

    @Test("The halves of an engine are the squared norms of what half of the lanes, and all of them, give")
    func halves() throws {
        let model = try ModelConfiguration(cell: .lstm, layers: 2, hidden: 9, embedding: 5, vocabularySize: 11)
        let fixture = NetworkFixture<Double>(model, steps: 6, batch: 26, seed: 4)
        let input = LaneWindow(lanes: 26, steps: 6)
        for at in 0..<26 * 6 {
            (input.ids.view[0, at], input.targets.view[0, at]) = (Int32(at * 7 % 11), Int32(at % 11))
        }
        let window = TrainingWindow(input, steps: 6, symbols: 26 * 6, step: 0)
        func engine(
            _ groups: Range<Int>?, windowBytes: Double = EngineSetup<Double>.usualWindowBytes, threads: Int = 2
        ) -> ThreadedEngine<Double> {
            var setup = EngineSetup(
                model: model, parameters: fixture.parameters.copy(model), optimizer: .sgd, batch: 26, window: 6,
                seed: 3, measuresHalves: true, workers: Workers(count: threads))
            setup.windowBytes = windowBytes
            return ThreadedEngine(setup, groups: groups)
        }
        let whole = engine(nil).gradient(of: window)
        for threads in 1...3 { #expect(engine(nil, windowBytes: 0, threads: threads).gradient(of: window) == whole) }
        let half = engine(0..<2).gradient(of: window)
        let rest = engine(2..<4).gradient(of: window)
        let halves = try #require(whole.halves)
        func equal(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(a, b) }
        #expect(equal(halves.whole, whole.norm * whole.norm) && equal(halves.first, half.norm * half.norm))
        #expect(halves.first != halves.whole && half.halves?.first == halves.first && half.halves?.whole == 0)
        #expect(rest.halves?.first == 0)
    }

    @Test("Reports have the scale where it is asked for, the same for all ranks and in a resumed training")
    func reports() throws {
        let folder = try TemporaryFolder()
        let training = GoldenTraining.all[3]
        func scales(_ name: String, ranks: Int, stops: [Int]) throws -> [Double?] {
            var scales: [Double?] = []
            for (index, stop) in stops.enumerated() {
                let cluster = try MemoryCluster(ranks: ranks)
                try training.run(
                    to: folder.file(name), threads: 1,
                    resuming: index > 0 ? GoldenTraining.last(folder.file(name)) : nil, stopAfter: stop,
                    measuresNoise: true, engine: { try cluster.engine($0) },
                    observe: { if case .step(let report) = $0 { scales.append(report.gradientNoiseScale) } })
                #expect(cluster.leave().isEmpty)
            }
            return scales
        }
        let whole = try scales("a.safetensors", ranks: 1, stops: [60])
        #expect(whole.count == 6 && whole.contains { $0 ?? 0 > 0 })
        #expect(try scales("b.safetensors", ranks: 3, stops: [33, 60]) == whole)
    }
}
