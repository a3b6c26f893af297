import ArgumentParser
import CharacterModel
import CommandSupport
import Tokenization

enum SampleFormat: String, ExpressibleByArgument, CaseIterable {
    case text, jsonl
}

struct SampleTextOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "The prompt: text to continue.")
    var prompt: String?

    @Option(parsing: .unconditional, help: "A file with text to continue.", completion: .file())
    var promptFile: String?

    @Option(parsing: .unconditional, help: "Number of symbols to generate for each sample.")
    var length = 500

    @Option(parsing: .unconditional, help: "Number of samples.")
    var count = 1

    @Option(
        parsing: .unconditional,
        help: "Index of the first sample, counted from 0; with the same seed, each index has the same text.")
    var first = 0

    @Flag(help: "Prints only errors and the results of --novelty on stderr.")
    var quiet = false

    @Option(parsing: .unconditionalSingleValue, help: "Ends a sample once it contains this text; may be repeated.")
    var stop: [String] = []

    @Option(parsing: .unconditional, help: "Plain text, or one JSON object per line.")
    var format = SampleFormat.text

    @Flag(
        help: """
            Reads lines from the standard input and continues the text after each; an empty line adds no input.
            """)
    var interactive = false

    @Option(
        parsing: .unconditional,
        help: """
            Reports how much of each sample is copied from a text: whether it is a record, the longest run, and the \
            share of 20-symbol windows.
            """, completion: .file())
    var novelty: String?

    @Flag(help: "Redraws a sample that is a record of the --novelty text, up to 100 times.")
    var novelOnly = false

    func validate() throws {
        if interactive && (count != 1 || first != 0 || novelty != nil || format == .jsonl) {
            throw ValidationError("--interactive writes one text; drop --count, --first, --novelty and --format")
        }
        if novelOnly && novelty == nil {
            throw ValidationError("--novel-only compares with the text of --novelty; add it")
        }
        if prompt != nil && promptFile != nil {
            throw ValidationError("--prompt and --prompt-file exclude each other; give one")
        }
        if length < 1 { throw ValidationError("--length is \(length); it must be at least 1") }
        if !(0...1 << 53).contains(first) { throw ValidationError("--first is \(first); it must be at least 0") }
        if count < 1 { throw ValidationError("--count is \(count); it must be at least 1") }
        if stop.contains(where: \.isEmpty) { throw ValidationError("--stop is empty; give a text") }
    }

    func readPrompt() throws -> [UInt8] {
        guard let promptFile else { return Array((prompt ?? "").utf8) }
        let corpus = try Corpus(reading: TextSource.sources(at: [promptFile]), unit: .byte)
        return corpus.bytes(in: 0..<corpus.count)
    }

    /// The text to check samples against for copying.
    func readOriginal(_ path: String, for model: LanguageModel) throws -> Corpus {
        let (vocabulary, stored) = (model.vocabulary, model.training?.corpus.format)
        let corpus = try Corpus(
            arguments: [path], unit: vocabulary.unit, normalization: vocabulary.normalization,
            format: stored ?? TextFormat(), records: vocabulary.records, cache: nil)
        guard corpus.count > 0 else { throw TextError.empty(path: corpus.name) }
        return corpus
    }
}
