import CProbe
import CharacterModel
import Foundation
import RecurrentNetwork
import Tokenization
import Training

/// The results of one process for one setting: ours, or a peer's.
struct Measurement: Codable {
    /// Symbols a second.
    var training: Double
    var sampling: Double
    /// Of 32 texts together.
    var together: Double?
    var scoring: Double
    /// The most memory the process had while it trained, less what it had before, in MB.
    var megabytes: Double
    /// The peak of two threads together: multiply-adds in registers for us, a large matrix product for a peer.
    var peakGFLOPs: Double
    /// Operations at 6 per weight and symbol; one-hot input weights are not counted.
    var trainingGFLOPs: Double
    /// Memory allocations in a training step, after the second: the most of any step except the last, which ends the
    /// run.
    var allocations: Double?

    enum CodingKeys: String, CodingKey {
        case training, sampling, together, scoring, megabytes
        case peakGFLOPs = "peak_gflops"
        case trainingGFLOPs = "training_gflops"
        case allocations
    }

    private static func options(of setting: Setting) -> TrainingOptions {
        var options = TrainingOptions()
        options.cell = setting.cell
        options.layers = setting.layers
        options.hidden = setting.hidden
        options.embedding = 0
        options.tied = false
        options.dropout = 0
        options.weightDropout = 0
        options.batch = setting.batch
        options.window = setting.window
        options.precision = setting.precision
        options.budget = .seconds(5)
        return options
    }

    static func of(_ setting: Setting, threads: Int) throws -> Measurement {
        let before = peakMegabytes()
        let text = randomText(setting.batch * setting.window * 40)
        let corpus = try Corpus(reading: [.bytes(text, name: "random text")], unit: .byte, normalization: .none)
        let data = try TrainingData(corpus, fraction: 0)
        let options = options(of: setting)
        let model = try ModelConfiguration(options, data: data)
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("escriba-benchmark-\(getpid()).safetensors").path
        var output = Trainer.Output(path: path)
        output.checkpointEvery = 3_600
        output.logEvery = 1
        // Room for all of them, so that counting allocates nothing within the loop.
        var rates: [Double] = []
        var calls: [Int64] = []
        rates.reserveCapacity(1 << 16)
        calls.reserveCapacity(1 << 16)
        let trainer = try Trainer(on: data, options: options, output: output, threads: threads) { event in
            guard case .step(let report) = event else { return }
            rates.append(report.tokensPerSecond)
            calls.append(probe_allocations())
        }
        _ = try trainer.run()
        let megabytes = peakMegabytes() - before
        defer { for path in [path, output.lastPath] { try? FileManager.default.removeItem(atPath: path) } }
        // Between the reports of two steps are one step and the reporting of it.
        let perStep = zip(calls, calls.dropFirst()).dropFirst().dropLast().map { $1 - $0 }
        let training = rates.sorted()[rates.count / 2]
        // A one-hot input needs no product.
        let input = data.vocabulary.count * setting.hidden * setting.cell.gateCount
        let weights = Double(model.parameterCount - input)

        let trained = try LanguageModel(contentsOf: path)
        let sampler = try trained.generator(strategy: .sampled(try Temperature(0.8), keeping: .everything), seed: 1)
        let drawn = 4_000
        for _ in 0..<100 { _ = sampler.next() }
        let sampling = seconds { for _ in 0..<drawn { _ = sampler.next() } }
        let together = try samplingTogether(32, trained, threads: threads)
        let part = try Corpus(
            reading: [.bytes(randomText(20_000), name: "part")], unit: .byte, normalization: .none)
        let scoring = try seconds { _ = try trained.evaluate(part, threads: threads) }
        return Measurement(
            training: training, sampling: Double(drawn) / sampling, together: together,
            scoring: Double(part.count) / scoring,
            megabytes: megabytes, peakGFLOPs: peak(threads: threads), trainingGFLOPs: 6 * weights * training / 1e9,
            allocations: Double(perStep.max() ?? 0))
    }
}

/// Symbols a second of some texts together.
private func samplingTogether(_ count: Int, _ model: LanguageModel, threads: Int) throws -> Double {
    let texts = try (0..<count).map { stream in
        try model.generator(
            strategy: .sampled(try Temperature(0.8), keeping: .everything), seed: 1, stream: UInt64(stream))
    }
    let batch = TextBatch(model, threads: threads)
    for _ in 0..<10 { _ = batch.next(texts) }
    let rounds = 400
    let time = seconds { for _ in 0..<rounds { _ = batch.next(texts) } }
    return Double(rounds * count) / time
}

func randomText(_ length: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<length).map { _ in UInt8.random(in: 33..<98, using: &generator) }
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let time = try clock.measure(body).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
}

/// The peak of all threads with multiply-adds that need no memory, in GFLOP/s: best of five.
private func peak(threads: Int) -> Double {
    let rounds: Int64 = 20_000_000
    return (0..<5).map { _ in
        let time = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { _ in _ = probe_multiply_adds(rounds) }
        }
        return Double(threads) * probe_multiply_adds(1) * Double(rounds) / time / 1e9
    }.max()!
}

/// The most memory this process has had in use so far.
private func peakMegabytes() -> Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Double($0.split(separator: " ")[1]) }.map { $0 * 1_024 / 1e6 } ?? .nan
}
