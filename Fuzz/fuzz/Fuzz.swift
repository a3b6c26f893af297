import CFuzzer
import Foundation

/// The fuzz targets: `fuzz checkpoint|text|sampler`, then libFuzzer's own arguments.
enum Target: String, CaseIterable {
    case checkpoint, text, sampler

    func run(_ bytes: UnsafeBufferPointer<UInt8>) {
        switch self {
        case .checkpoint: fuzzCheckpoint(bytes)
        case .text: fuzzText(bytes)
        case .sampler: fuzzSampler(bytes)
        }
    }
}

/// Set once, before the first execution.
nonisolated(unsafe) private var target = Target.checkpoint

@main
enum Fuzz {
    static func main() {
        guard let name = CommandLine.arguments.dropFirst().first, let chosen = Target(rawValue: name) else {
            FileHandle.standardError.write(
                Data("fuzz \(Target.allCases.map(\.rawValue)) [libFuzzer's arguments]\n".utf8))
            exit(64)
        }
        target = chosen
        var arguments = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) }
        arguments.append(nil)
        arguments.withUnsafeMutableBufferPointer { buffer in
            var (count, start) = (Int32(buffer.count - 1), buffer.baseAddress)
            exit(
                LLVMFuzzerRunDriver(&count, &start) { data, size in
                    target.run(UnsafeBufferPointer(start: data, count: size))
                    return 0
                })
        }
    }
}

/// libFuzzer calls this for a new input.
@_cdecl("LLVMFuzzerCustomMutator")
func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ capacity: Int, _ seed: UInt32) -> Int {
    guard target == .checkpoint else { return LLVMFuzzerMutate(data, size, capacity) }
    return mutateCheckpoint(data, size, capacity, seed)
}

/// A condition that must be true. If it is false, the process crashes, and libFuzzer saves the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
