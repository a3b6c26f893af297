import Foundation
import Tokenization

// Usage:
//   benchmarks                          one table, each setting in separate processes
//   benchmarks --peer PYTHON            the same beside PyTorch, in turn
//   benchmarks CELL LAYERS HIDDEN BATCH WINDOW     one setting, as JSON
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

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func table(peer python: String?) throws {
    let me = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    print("Medians of \(rounds) runs, \(threads) threads, V = 67; symbols/s. Peak: multiply-adds in registers.")
    print("setting".padding(toLength: 22, withPad: " ", startingAt: 0), terminator: "")
    print("  training  GFLOP/s  of peak  calls/step        MB  sampling   scoring")
    for setting in Setting.all {
        var (ours, theirs): ([Measurement], [Measurement]) = ([], [])
        for _ in 0..<rounds {
            ours.append(try measure(me, setting.words))
            if let python { theirs.append(try measure(python, ["peers/torch_peer.py"] + setting.words)) }
        }
        func ofOurs(_ value: (Measurement) -> Double) -> Double { median(ours.map(value)) }
        print(
            setting.name.padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%10.0f %8.1f %7.0f%% %11.0f %9.0f %9.0f %9.0f", ofOurs(\.training),
                    ofOurs(\.trainingGFLOPs), 100 * ofOurs { $0.trainingGFLOPs / $0.peakGFLOPs },
                    ofOurs { $0.allocations ?? .nan }, ofOurs(\.megabytes), ofOurs(\.sampling), ofOurs(\.scoring)))
        guard !theirs.isEmpty else { continue }
        func ofTheirs(_ value: (Measurement) -> Double) -> Double { median(theirs.map(value)) }
        print(
            "  PyTorch".padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%10.0f %8.1f %7.0f%%*           - %8.0f %9.0f %9.0f", ofTheirs(\.training),
                    ofTheirs(\.trainingGFLOPs), 100 * ofTheirs { $0.trainingGFLOPs / $0.peakGFLOPs },
                    ofTheirs(\.megabytes), ofTheirs(\.sampling), ofTheirs(\.scoring)))
        print(
            "  ratio".padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%9.2fx          %7.0f%%*             %8.2fx %8.1fx %8.2fx",
                    ofOurs(\.training) / ofTheirs(\.training),
                    100 * ofOurs(\.trainingGFLOPs) / ofTheirs(\.peakGFLOPs),
                    ofOurs(\.megabytes) / ofTheirs(\.megabytes), ofOurs(\.sampling) / ofTheirs(\.sampling),
                    ofOurs(\.scoring) / ofTheirs(\.scoring)))
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
            print(path, unit.rawValue, String(format: "%.0f MB/s", median(rates)))
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
