import Foundation

/// Trains again and again, kills each training at random instants, or fills its disk, and compares the result with an
/// undisturbed training: `torture BIN TEXT RUNS [DISK]`.
///
/// - BIN: the folder of the commands.
/// - DISK: a separate small file system, which is filled up and freed during the training instead of kills.
@main
enum Torture {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3, let runs = Int(arguments[2]) else {
            print("torture BIN TEXT RUNS [DISK]")
            exit(64)
        }
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("torture-\(getpid())").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var generator = SystemRandomNumberGenerator()
        var (same, disturbances) = (0, 0)
        for run in 1...runs {
            let training = Training(
                train: arguments[0] + "/train", text: arguments[1], seed: run, threads: 1 + run % 2,
                saves: [10, 30, 100].randomElement(using: &generator)!)
            let reference = scratch + "/reference"
            let began = Date()
            guard training.start(in: reference).wait() == 0 else { fatalError("run \(run) failed undisturbed") }
            let seconds = Date().timeIntervalSince(began)
            let folder = (arguments.count > 3 ? arguments[3] : scratch) + "/disturbed"
            disturbances +=
                arguments.count > 3
                ? training.runOnFullDisk(in: folder, seconds, &generator)
                : training.runKilled(in: folder, seconds, &generator)
            let differences = try Outcome(reference).differences(from: Outcome(folder))
            if differences.isEmpty { same += 1 } else { print("run \(run): \(differences.joined(separator: ", "))") }
            for path in [reference, folder] { try FileManager.default.removeItem(atPath: path) }
        }
        let what = arguments.count > 3 ? "full disks" : "kills"
        print("\(same) of \(runs) trainings ended as the undisturbed ones did, after \(disturbances) \(what)")
        exit(same == runs ? 0 : 1)
    }
}

/// A training that can be started again and again.
struct Training {
    let train: String
    let text: String
    let seed: Int
    let threads: Int
    /// Milliseconds between saves.
    let saves: Int

    /// A running command.
    struct Command {
        let process: Process

        func wait() -> Int32 {
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        }
    }

    /// Starts it, or resumes it.
    func start(in folder: String) -> Command {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: train)
        let resumes = FileManager.default.fileExists(atPath: folder + "/m.last.safetensors")
        process.arguments =
            (resumes
                ? ["--resume", folder + "/m.last.safetensors"]
                : [
                    text, "--output", folder + "/m.safetensors", "--hidden", "32", "--steps", "300", "--evaluate-every",
                    "20",
                    "--seed", "\(seed)", "--metrics", folder + "/m.jsonl",
                ]) + ["--threads", "\(threads)", "--checkpoint-every", "\(saves)ms", "--quiet"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { fatalError("\(train): \(error)") }
        return Command(process: process)
    }

    /// Kills it at random instants until it ends on its own; returns the number of kills.
    func runKilled(in folder: String, _ seconds: Double, _ generator: inout some RandomNumberGenerator) -> Int {
        var kills = 0
        while true {
            let command = start(in: folder)
            usleep(UInt32(Double.random(in: 0...0.8 * seconds, using: &generator) * 1e6))
            kill(command.process.processIdentifier, SIGKILL)
            let code = command.wait()
            if code == 0 { return kills }
            guard code == -SIGKILL else { fatalError("exit code \(code) after \(kills) kills") }
            kills += 1
        }
    }

    /// Fills the disk and frees it at random instants until the training succeeds; returns how often it was full.
    func runOnFullDisk(in folder: String, _ seconds: Double, _ generator: inout some RandomNumberGenerator) -> Int {
        var fills = 0
        let filler = (folder as NSString).deletingLastPathComponent + "/filler"
        while true {
            let command = start(in: folder)
            while command.process.isRunning {
                usleep(UInt32(Double.random(in: 0...seconds / 3, using: &generator) * 1e6))
                fill(filler)
                fills += 1
                usleep(UInt32(Double.random(in: 0...seconds / 3, using: &generator) * 1e6))
                unlink(filler)
            }
            let code = command.wait()
            if code == 0 { return fills }
            guard code == 73 || code == 74 else { fatalError("exit code \(code) on a full disk") }
        }
    }

    private func fill(_ path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        while write(file, zeros, zeros.count) > 0 {}
        close(file)
    }
}

/// What a training leaves: tensors and records of both files, and its metrics, without times and paths.
struct Outcome {
    private var parts: [String: String] = [:]

    init(_ folder: String) throws {
        for name in ["m", "m.last"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).safetensors"))
            let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            var header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as! [String: Any]
            let metadata = header.removeValue(forKey: "__metadata__") as! [String: String]
            parts["tensors of \(name)"] = bytes[(8 + length)...].base64EncodedString()
            parts["shapes of \(name)"] = "\(try JSONSerialization.data(withJSONObject: header, options: .sortedKeys))"
            var training = try JSONSerialization.jsonObject(with: Data(metadata["training"]!.utf8)) as! [String: Any]
            for key in ["seconds", "pending_seconds", "metrics_path", "metrics_length", "metrics_first_line"] {
                training[key] = nil
            }
            parts["record of \(name)"] = String(
                decoding: try JSONSerialization.data(withJSONObject: training, options: .sortedKeys), as: UTF8.self)
            parts["vocabulary of \(name)"] = metadata["vocabulary"]
        }
        let lines = try String(contentsOfFile: "\(folder)/m.jsonl", encoding: .utf8).split(separator: "\n")
        let fields = try lines.map { line in
            var fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
            for key in ["seconds", "tokens_per_second"] { fields[key] = nil }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: fields, options: .sortedKeys), as: UTF8.self)
        }
        parts["metrics"] = fields.joined(separator: "\n")
    }

    func differences(from other: Outcome) -> [String] {
        parts.keys.sorted().filter { parts[$0] != other.parts[$0] }
    }
}
