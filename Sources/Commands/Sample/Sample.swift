import ArgumentParser
import CharacterModel
import CommandSupport
import Concurrency
import Reports
import Synchronization
import Tokenization

/// The `sample` command: parse, call the model module, print.
public struct Sample: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Generate text from a trained model.",
        discussion: """
            Text appears as it is made. What is asked for applies in the order: biases, repetition penalty, bans, temperature, \
            top-k, top-p, min-p, typical, mirostat.
            """,
        version: escribaVersion)

    @Argument(help: "A model made by train.")
    var checkpoint: String

    @OptionGroup(title: "Text") var text: SampleTextOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions

    public init() {}

    public func run() throws {
        let text = text
        let model = try LanguageModel(reading: checkpoint)
        let sampling = try Sampling(sampling, for: model)
        let prompt = try text.readPrompt()
        if model.vocabulary.unit != .byte, String(validating: prompt, as: UTF8.self) == nil {
            throw UsageError("\(text.promptFile ?? "the prompt") is not UTF-8; convert it (iconv -t UTF-8)")
        }
        // Found before the text is made.
        let original = try text.novelty.map { try text.readOriginal($0, for: model) }
        if sampling.isSeedDrawn { StandardError.print("seed \(sampling.seed)") }
        if text.interactive { return try converse(model, sampling, prompt) }
        let failure = Mutex<(any Error)?>(nil)
        let made = Mutex([[Int]](repeating: [], count: text.count))
        // As many samples at once as there are threads: the first appears as it is made, the others after it.
        for first in stride(from: 0, to: text.count, by: threads.count) {
            let together = min(threads.count, text.count - first)
            let outputs = Mutex([String](repeating: "", count: together))
            Workers(count: together).forEach(together) { offset in
                let index = first + offset
                do {
                    let generator = try sampling.generator(model, prompt: prompt, stream: index)
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
                    try writer.write(generator, length: text.length, seed: sampling.seed, index: index)
                    if original != nil { made.withLock { [ids = writer.ids] in $0[index] = ids } }
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
            if let error = failure.withLock({ $0 }) { throw error }
            for output in outputs.withLock({ $0 }) { try StandardOutput.write(output) }
        }
        guard let original else { return }
        try report(
            Novelty(of: made.withLock { $0 }, in: original, vocabulary: model.vocabulary), made.withLock { $0 }, model)
    }

    /// Says what was copied: on stderr for people, as more objects for programs.
    private func report(_ novelty: Novelty, _ texts: [[Int]], _ model: LanguageModel) throws {
        for (index, result) in novelty.results.enumerated() {
            let run = texts[index][result.start..<result.start + result.longestRun]
            let copied = String(
                decoding: run.flatMap { model.vocabulary.symbols[$0].bytes }, as: UTF8.self)
            if text.format == .jsonl {
                let record = NoveltyRecord(
                    index: index, longestCopiedRun: result.longestRun, copied: copied, windows: result.windows,
                    copiedWindows: result.copiedWindows)
                try StandardOutput.write(try SampleWriter.line(record))
            } else {
                let share = result.windows > 0 ? 100 * Double(result.copiedWindows) / Double(result.windows) : 0
                StandardError.print(
                    "sample \(index + 1): the longest run copied from the text has \(result.longestRun) symbols "
                        + "(\(copied.prefix(60).debugDescription)); \(formatted(share, decimals: 1)) % of its windows of "
                        + "\(Novelty.window) stand there")
            }
        }
    }
}

private struct NoveltyRecord: Encodable {
    let index: Int
    let longestCopiedRun: Int
    let copied: String
    let windows: Int
    let copiedWindows: Int
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

    @Flag(
        help: """
            Reads lines from the standard input, and goes on from each as typed, in one text; an empty line just goes on.
            """)
    var interactive = false

    @Option(
        parsing: .unconditional,
        help:
            "Tells how much of each sample is copied from a text: the longest run, and the share of 20-symbol windows.")
    var novelty: String?

    func validate() throws {
        if interactive && (count != 1 || novelty != nil || format == .jsonl) {
            throw ValidationError("--interactive writes one text; drop --count, --novelty and --format")
        }
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

    /// The text that samples may have been copied from.
    func readOriginal(_ path: String, for model: LanguageModel) throws -> Corpus {
        let (vocabulary, stored) = (model.vocabulary, model.training?.corpus.format)
        let corpus = try Corpus(
            arguments: [path], unit: vocabulary.unit, normalization: vocabulary.normalization,
            format: stored ?? TextFormat(), records: vocabulary.records, cache: nil)
        guard corpus.count > 0 else { throw TextError.empty(path: corpus.name) }
        return corpus
    }
}
