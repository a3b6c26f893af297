import CharacterModel
import Foundation
import Tokenization

// Usage:
//   benchmarks                          one table, each setting in separate processes
//   benchmarks --peer PYTHON            the same beside PyTorch, in turn
//   benchmarks CELL LAYERS HIDDEN BATCH WINDOW PRECISION     one setting, as JSON
//   benchmarks --text FILE...           how fast texts are read, one thread

let rounds = 5
let threads = ProcessInfo.processInfo.activeProcessorCount
let arguments = Array(CommandLine.arguments.dropFirst())

/// Runs a program that prints one Measurement.
func measure(_ program: String, _ arguments: [String]) throws -> Measurement {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode(Measurement.self, from: output)
}

/// The medians of some measurements, as a row.
struct Row {
    let name: String
    let figures: [Measurement]
    let isOurs: Bool

    func median(_ value: (Measurement) -> Double) -> Double { figures.map(value).sorted()[figures.count / 2] }

    func show(beside other: Row?) {
        let calls = isOurs ? String(format: "%.0f", median { $0.allocations ?? .nan }) : "-"
        print(
            name.padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(format: "%10.0f %8.1f", median(\.training), median(\.trainingGFLOPs))
                + String(format: " %7.0f%%", 100 * median { $0.trainingGFLOPs / $0.peakGFLOPs })
                + (isOurs ? " " : "*") + String(repeating: " ", count: max(0, 10 - calls.count)) + calls
                + String(
                    format: "%9.0f %9.0f %9.0f %9.0f", median(\.megabytes), median(\.sampling),
                    median { $0.together ?? .nan }, median(\.scoring)),
            terminator: "")
        let ratio = other.map { String(format: "%9.2fx", median(\.training) / $0.median(\.training)) }
        print(ratio ?? "")
    }
}

func table(peer python: String?) throws {
    let me = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    print("Medians of \(rounds) runs, \(threads) threads, V = 67; symbols/s. Peak: float multiply-adds in registers.")
    print("setting".padding(toLength: 22, withPad: " ", startingAt: 0), terminator: "")
    print("  training  GFLOP/s  of peak  calls/step       MB  sampling  together   scoring", terminator: "")
    print(python == nil ? "" : "  of PyTorch's float32")
    for setting in Setting.all {
        var figures = [[Measurement]](repeating: [], count: 4)
        for _ in 0..<rounds {
            for (index, precision) in Precision.allCases.enumerated() {
                let words = setting.at(precision).words
                figures[index].append(try measure(me, words))
                if let python { figures[2 + index].append(try measure(python, ["peers/torch_peer.py"] + words)) }
            }
        }
        let peer = python == nil ? nil : Row(name: "  PyTorch float32", figures: figures[2], isOurs: false)
        Row(name: setting.name, figures: figures[0], isOurs: true).show(beside: peer)
        Row(name: "  bfloat16", figures: figures[1], isOurs: true).show(beside: peer)
        guard let peer else { continue }
        peer.show(beside: peer)
        Row(name: "  PyTorch bfloat16", figures: figures[3], isOurs: false).show(beside: peer)
    }
    if python != nil {
        print("* of PyTorch's own product of two matrices of 2048 x 2048 (sgemm), measured in the same run")
    }
}

func readTexts(_ paths: [String]) throws {
    for path in paths {
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        for unit in TextUnit.allCases {
            var rates: [Double] = []
            for _ in 0..<3 {
                var failure: (any Error)?
                let time = seconds {
                    do { _ = try Corpus(reading: [.file(path: path)], unit: unit) } catch { failure = error }
                }
                if let failure { throw failure }
                rates.append(Double(size) / time / 1e6)
            }
            print(path, unit.rawValue, String(format: "%.0f MB/s", rates.sorted()[1]))
        }
    }
}

if let setting = Setting(words: arguments) {
    let data = try JSONEncoder().encode(try Measurement.of(setting, threads: threads))
    print(String(decoding: data, as: UTF8.self))
} else if arguments.first == "--text" {
    try readTexts(Array(arguments.dropFirst()))
} else {
    try table(peer: arguments.first == "--peer" ? arguments.dropFirst().first : nil)
}
