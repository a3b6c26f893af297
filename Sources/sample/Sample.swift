import ArgumentParser
import CharacterModel
import CommandSupport
import LinearAlgebra
import Synchronization
import Tokenization

/// The `sample` command: parse, call the model module, print.
struct Sample: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Generate text from a trained model.",
        discussion: """
            Text appears as it is made. Filters apply in the order: repetition penalty, temperature, top-k, top-p, min-p.
            """,
        version: escribaVersion)

    @Argument(help: "A model made by train.")
    var checkpoint: String

    @OptionGroup(title: "Text") var text: SampleTextOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    func run() throws {
        let strategy = try sampling.strategy()
        let penalty = try sampling.repetitionPenalty.map { try RepetitionPenalty($0) } ?? .none
        let model = try LanguageModel(reading: checkpoint)
        let prompt = try text.readPrompt()
        if model.vocabulary.unit != .byte, String(validating: prompt, as: UTF8.self) == nil {
            throw UsageError("\(text.promptFile ?? "the prompt") is not UTF-8; convert it (iconv -t UTF-8)")
        }
        let seed = sampling.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        if sampling.seed == nil && strategy != .greedy { StandardError.print("seed \(seed)") }
        let text = text
        let failure = Mutex<(any Error)?>(nil)
        // As many samples at once as there are threads: the first appears as it is made, the others after it.
        for first in stride(from: 0, to: text.count, by: threads.count) {
            let together = min(threads.count, text.count - first)
            let outputs = Mutex([String](repeating: "", count: together))
            Workers(count: together).forEach(together) { offset in
                let index = first + offset
                do {
                    let generator = try model.generator(
                        promptBytes: prompt, strategy: strategy, penalty: penalty, seed: seed, stream: UInt64(index))
                    let shown = String(decoding: prompt, as: UTF8.self)
                    var writer = SampleWriter(format: text.format, prompt: shown, stops: text.stop) { part in
                        // One sample that cannot be written ends them all.
                        if let error = failure.withLock({ $0 }) { throw error }
                        if offset == 0 {
                            try StandardOutput.write(part)
                        } else {
                            outputs.withLock { $0[offset] += part }
                        }
                    }
                    if index > 0 { try writer.separate(model.vocabulary.records) }
                    try writer.write(generator, length: text.length, seed: seed, index: index)
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
            if let error = failure.withLock({ $0 }) { throw error }
            for output in outputs.withLock({ $0 }) { try StandardOutput.write(output) }
        }
    }
}

enum SampleFormat: String, ExpressibleByArgument, CaseIterable {
    case text, jsonl
}

struct SampleTextOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Text to go on from.")
    var prompt: String?

    @Option(parsing: .unconditional, help: "A file with text to go on from.")
    var promptFile: String?

    @Option(parsing: .unconditional, help: "New symbols in each sample.")
    var length = 500

    @Option(parsing: .unconditional, help: "Samples.")
    var count = 1

    @Option(parsing: .unconditionalSingleValue, help: "Ends a sample once it contains this text; may be repeated.")
    var stop: [String] = []

    @Option(parsing: .unconditional, help: "Plain text, or one JSON object a line.")
    var format = SampleFormat.text

    func validate() throws {
        if prompt != nil && promptFile != nil {
            throw ValidationError("--prompt and --prompt-file exclude each other; give one")
        }
        if length < 1 { throw ValidationError("--length is \(length); it must be at least 1") }
        if count < 1 { throw ValidationError("--count is \(count); it must be at least 1") }
        if stop.contains(where: \.isEmpty) { throw ValidationError("--stop is empty; give it a text") }
    }

    func readPrompt() throws -> [UInt8] {
        guard let promptFile else { return Array((prompt ?? "").utf8) }
        let corpus = try Corpus(reading: TextSource.sources(at: [promptFile]), unit: .byte)
        return corpus.bytes(in: 0..<corpus.count)
    }
}

struct SamplingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Below 1 plays safe, above 1 dares; 0 is --greedy. (default: 0.8)")
    var temperature: Double?

    @Option(parsing: .unconditional, help: "Draws from the K likeliest symbols only.")
    var topK: Int?

    @Option(parsing: .unconditional, help: "Draws from the fewest likeliest symbols that together have probability P.")
    var topP: Double?

    @Option(parsing: .unconditional, help: "Draws from symbols at least P times as likely as the likeliest.")
    var minP: Double?

    @Option(
        parsing: .unconditional,
        help: "Makes symbols among the last \(RepetitionPenalty.reach) less likely: 1 is none, 1.2 is strong.")
    var repetitionPenalty: Double?

    @Flag(help: "Takes the likeliest symbol each time.")
    var greedy = false

    @Option(parsing: .unconditional, help: "Names the random numbers. (default: drawn, and told on stderr)")
    var seed: UInt64?

    func validate() throws {
        do {
            _ = try strategy()
            if let repetitionPenalty { _ = try RepetitionPenalty(repetitionPenalty) }
        } catch let error as SamplingError {
            throw ValidationError("--\(error.name) is \(error.value); it must be \(error.allowed)")
        }
        if greedy, let temperature, temperature != 0 {
            throw ValidationError("--greedy and --temperature \(temperature) exclude each other; give one")
        }
    }

    func strategy() throws -> SamplingStrategy {
        let filter = try SamplingFilter(topK: topK, topP: topP, minP: minP)
        if greedy || temperature == 0 { return .greedy }
        return .sampled(try Temperature(temperature ?? 0.8), keeping: filter)
    }
}

@main
enum Main {
    static func main() { Sample.runAndExit() }
}
