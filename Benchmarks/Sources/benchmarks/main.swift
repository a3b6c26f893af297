import CharacterModel
import Foundation
import Tokenization

// Symbols a second of training, sampling and exact perplexity, on random text with V = 67.
//
// Usage: benchmarks [CELL LAYERS HIDDEN BATCH WINDOW]. Without arguments: the sizes that README.md quotes.
// FLOPs are 6 per weight and symbol for training; one-hot input weights are not counted.

struct Setting {
    var cell: CellKind
    var layers: Int
    var hidden: Int
    var batch: Int
    var window: Int
}

func measure(_ setting: Setting, threads: Int) throws {
    var generator = SystemRandomNumberGenerator()
    let symbols = setting.batch * setting.window * 40
    let text = (0..<symbols).map { _ in UInt8.random(in: 33..<98, using: &generator) }
    let corpus = try Corpus(reading: [.bytes(text, name: "random text")], unit: .byte, normalization: .none)
    let data = try TrainingData(corpus, fraction: 0)
    let model = try ModelConfiguration(
        cell: setting.cell, layers: setting.layers, hidden: setting.hidden, vocabularySize: data.vocabulary.count)
    var record = TrainingRecord()
    record.options.batch = setting.batch
    record.options.window = setting.window
    record.options.budget = .seconds(8)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("escriba-benchmark.safetensors").path
    var output = Trainer.Output(path: path)
    output.checkpointEvery = 3_600
    output.logEvery = 1
    var rates: [Double] = []
    let trainer = try Trainer(model, data: data, record: record, output: output, threads: threads) { event in
        if case .step(let report) = event { rates.append(report.tokensPerSecond) }
    }
    _ = try trainer.run()
    let training = rates.sorted()[rates.count / 2]
    let weights = Double(model.parameterCount - data.vocabulary.count * setting.cell.gates * setting.hidden)

    let trained = try LanguageModel(contentsOf: path)
    try? FileManager.default.removeItem(atPath: path)
    let strategy = SamplingStrategy.sampled(try Temperature(0.8), keeping: .everything)
    let sampler = try trained.generator(strategy: strategy, seed: 1)
    let sampling = time { for _ in 0..<2_000 { _ = sampler.next() } }
    let part = try Corpus(
        reading: [.bytes(Array(text.prefix(20_000)), name: "part")], unit: .byte, normalization: .none)
    let scoring = time { _ = trained.evaluate(part, threads: threads) }
    let name = "\(setting.cell.rawValue) \(setting.layers)x\(setting.hidden) B\(setting.batch) T\(setting.window)"
    print(
        name.padding(toLength: 24, withPad: " ", startingAt: 0),
        String(
            format: "%9.0f %8.1f %10.0f %10.0f", training, 6 * weights * training / 1e9, 2_000 / sampling,
            Double(part.count) / scoring))
}

func time(_ body: () -> Void) -> Double {
    let began = Date()
    body()
    return Date().timeIntervalSince(began)
}

let arguments = CommandLine.arguments.dropFirst()
var settings = [
    Setting(cell: .lstm, layers: 2, hidden: 128, batch: 50, window: 50),
    Setting(cell: .lstm, layers: 2, hidden: 256, batch: 64, window: 64),
    Setting(cell: .lstm, layers: 1, hidden: 384, batch: 16, window: 64),
    Setting(cell: .gru, layers: 2, hidden: 256, batch: 64, window: 64),
    Setting(cell: .rnn, layers: 2, hidden: 256, batch: 64, window: 64),
]
let numbers = arguments.dropFirst().compactMap { Int($0) }
if let cell = arguments.first.flatMap(CellKind.init), numbers.count == 4 {
    settings = [
        Setting(cell: cell, layers: numbers[0], hidden: numbers[1], batch: numbers[2], window: numbers[3])
    ]
}
print("setting                   training  GFLOP/s   sampling    scoring   (symbols/s)")
for setting in settings { try measure(setting, threads: ProcessInfo.processInfo.activeProcessorCount) }
