import ArgumentParser
import CharacterModel
import CommandSupport
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
        let samples = try drawSamples(from: source, model, keeps: original != nil)
        if let original { try report(samples, in: original, model) }
    }

    /// Draws the samples, up to 32 together, and writes them in order.
    ///
    /// - Parameter keeps: whether to return the samples.
    private func drawSamples(from source: SampleSource, _ model: LanguageModel, keeps: Bool) throws -> [DrawnSample] {
        let batch = TextBatch(model, threads: threads.count)
        let output = SampleOutput(separator: text.format == .text ? source.separator : "")
        var kept: [(index: Int, sample: DrawnSample)] = []
        var (next, live): (Int, [SampleInProgress]) = (0, [])
        func end(_ sample: SampleInProgress, _ drawn: DrawnSample) throws {
            if keeps { kept.append((sample.index, drawn)) }
            try output.finish(sample.index)
        }
        while next < text.count || !live.isEmpty {
            while next < text.count && live.count < 32 {
                let index = next
                next += 1
                let sample = try source.begin(index) { try output.add($0, of: index) }
                // Of no symbols, perhaps.
                var drawn: DrawnSample?
                while drawn == nil && !sample.wantsMore { drawn = try sample.finish() }
                if let drawn { try end(sample, drawn) } else { live.append(sample) }
            }
            let elements = batch.next(live.map(\.generator))
            var going: [SampleInProgress] = []
            for (sample, element) in zip(live, elements) {
                if let drawn = try sample.take(element) { try end(sample, drawn) } else { going.append(sample) }
            }
            live = going
        }
        return kept.sorted { $0.index < $1.index }.map(\.sample)
    }
}
