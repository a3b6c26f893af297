import ArgumentParser
import CharacterModel
import Reports
import Tokenization

struct CropOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Scores random windows of so many symbols instead of the whole text, each from nothing with the symbol before it \
            given, as transformers are usually scored.
            """)
    var crops: Int?

    @Option(parsing: .unconditional, help: "How many windows. (default: 1000)")
    var cropCount: Int?

    @Option(parsing: .unconditional, help: "Chooses the windows. (default: 1)")
    var seed: UInt64?

    func validate() throws {
        guard let crops else {
            guard cropCount == nil && seed == nil else {
                throw ValidationError("--crop-count and --seed need --crops; add it")
            }
            return
        }
        guard (1...1_000_000).contains(crops) else {
            throw ValidationError("--crops is \(crops); it must be from 1 to 1000000")
        }
        guard (1...1_000_000).contains(cropCount ?? 1) else {
            throw ValidationError("--crop-count is \(cropCount!); it must be from 1 to 1000000")
        }
    }

    /// What the windows of a text score; nil if they are not wanted.
    func report(
        on corpus: Corpus, with model: LanguageModel, checkpoint: String, threads: Int
    ) throws -> CropReport? {
        guard let crops else { return nil }
        let seed = seed ?? 1
        let evaluation = try model.evaluateCrops(
            corpus, length: crops, count: cropCount ?? 1_000, seed: seed, threads: threads)
        return CropReport(
            evaluation, text: corpus.name, sha256: corpus.sha256, unit: corpus.unit, checkpoint: checkpoint, seed: seed)
    }
}
