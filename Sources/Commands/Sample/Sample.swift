import ArgumentParser
import CharacterModel
import CommandSupport
import Concurrency
import Synchronization
import Tokenization

/// The `sample` command: parse, call the model module, print.
public struct Sample: ParsableCommand {
    private static let name = Invocation.current.name(of: "sample")

    public static let configuration = CommandConfiguration(
        commandName: Invocation.current.parserName(of: "sample"), abstract: "Generate text from a trained model.",
        discussion: """
            Text appears as it is generated. Filters apply in this order: biases, repetition penalty, bans, temperature, \
            top-k, top-p, min-p, typical, mirostat.

            EXAMPLES:
              \(name) checkpoints/poems --prompt "Once" --temperature 0.7
              \(name) checkpoints/names --count 20 --novelty names.txt --novel-only
              \(name) checkpoints/poems --seed 7 --first 2 --format jsonl
              \(name) checkpoints/poems --interactive --length 80
            """,
        version: versionText)

    @Argument(help: "A model made by train.", completion: .file())
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
        if text.novelOnly && model.vocabulary.records == nil {
            throw UsageError("this model was not trained on records, which --novel-only needs; drop it")
        }
        if text.novelOnly && sampling.isGreedy {
            throw UsageError("--novel-only redraws samples, but greedy samples are all the same; drop one of the two")
        }
        // Read before sampling, so that an error in it comes first.
        let original = try text.novelty.map { try text.readOriginal($0, for: model) }
        if !text.quiet { try warnAboutUnknownSymbols(of: prompt, model) }
        if sampling.isSeedDrawn && !text.quiet { StandardError.print("seed \(sampling.seed)") }
        if text.interactive { return try runInteractive(model, sampling, prompt) }
        let source = try SampleSource(text, model, sampling, prompt: prompt, original: original)
        let samples = try drawSamples(from: source, keeps: original != nil)
        if let original { try report(samples, in: original, model) }
    }

    /// Draws and writes as many samples at once as there are threads. The first is written as it is generated, the
    /// others after it.
    ///
    /// - Parameter keeps: whether to return the samples.
    private func drawSamples(from source: SampleSource, keeps: Bool) throws -> [DrawnSample] {
        let failure = Mutex<(any Error)?>(nil)
        let output = SampleOutput(separator: text.format == .text ? source.separator : "")
        var kept: [DrawnSample] = []
        for first in stride(from: 0, to: text.count, by: threads.count) {
            let together = min(threads.count, text.count - first)
            output.begin(together)
            let made = Mutex([DrawnSample?](repeating: nil, count: together))
            Workers(count: together).forEach(together) { offset in
                do {
                    let sample = try source.draw(first + offset) { part in
                        // If one sample cannot be written, all of them stop.
                        if let error = failure.withLock({ $0 }) { throw error }
                        try output.add(part, of: offset)
                    }
                    if keeps { made.withLock { $0[offset] = sample } }
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
            if let error = failure.withLock({ $0 }) { throw error }
            try output.finish()
            kept += made.withLock { $0.compactMap(\.self) }
        }
        return kept
    }
}
