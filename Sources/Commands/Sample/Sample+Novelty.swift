import CharacterModel
import CommandSupport
import Reports
import Tokenization

extension Sample {
    /// Reports what was copied: on stderr for people, as additional objects for programs.
    func report(_ samples: [DrawnSample], in original: Corpus, _ model: LanguageModel) throws {
        let novelty = Novelty(of: samples.map(\.ids), in: original, vocabulary: model.vocabulary)
        let hasRecords = model.vocabulary.records != nil
        for (index, (sample, result)) in zip(samples, novelty.results).enumerated() {
            let run = sample.ids[result.start..<result.start + result.longestRun]
            let copied = String(decoding: run.flatMap { model.vocabulary.symbols[$0].bytes }, as: UTF8.self)
            if text.format == .jsonl {
                let record = NoveltyRecord(
                    index: text.first + index, longestCopiedRun: result.longestRun, copied: copied,
                    windows: result.windows, copiedWindows: result.copiedWindows,
                    knownRecord: hasRecords ? sample.isKnown : nil,
                    skippedDraws: text.novelOnly ? sample.skippedDraws : nil)
                try StandardOutput.write(try SampleWriter.line(record))
            } else {
                let name = "sample \(text.first + index + 1)"
                StandardError.print("\(name): \(description(of: sample, result, copied))")
            }
        }
        if text.format == .text && hasRecords { StandardError.print(summary(of: samples)) }
    }

    private func description(of sample: DrawnSample, _ result: Novelty.Result, _ copied: String) -> String {
        let quoted = copied.prefix(60).debugDescription
        if !sample.isWritten { return "all \(SampleSource.maximumDraws) draws are records of the text; skipped" }
        if sample.isKnown { return "it is a whole record of the text (\(quoted))" }
        let run = "the longest run copied from the text has \(result.longestRun) symbols (\(quoted))"
        guard result.windows > 0 else { return run }
        let share = 100 * Double(result.copiedWindows) / Double(result.windows)
        return run + "; \(formatted(share, decimals: 1)) % of its windows of \(Novelty.window) occur there"
    }

    private func summary(of samples: [DrawnSample]) -> String {
        let known = samples.count(where: \.isKnown)
        guard text.novelOnly else {
            return "\(formatted(known)) of \(formatted(samples.count)) samples are whole records of the text"
        }
        let (written, drawn) = (samples.count(where: \.isWritten), samples.reduce(0) { $0 + $1.skippedDraws })
        return "\(formatted(written)) of \(formatted(samples.count)) samples are new and were written; "
            + "\(formatted(drawn)) draws were records of the text"
    }
}

private struct NoveltyRecord: Encodable {
    let index: Int
    let longestCopiedRun: Int
    let copied: String
    let windows: Int
    let copiedWindows: Int
    /// Only for models that were trained on records.
    let knownRecord: Bool?
    /// Draws that were discarded before this one.
    let skippedDraws: Int?
}
