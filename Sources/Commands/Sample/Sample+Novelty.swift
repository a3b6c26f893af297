import CharacterModel
import CommandSupport
import Reports
import Tokenization

extension Sample {
    /// Says what was copied: on stderr for people, as more objects for programs.
    func report(_ novelty: Novelty, _ texts: [[Int]], _ model: LanguageModel) throws {
        for (index, result) in novelty.results.enumerated() {
            let run = texts[index][result.start..<result.start + result.longestRun]
            let copied = String(
                decoding: run.flatMap { model.vocabulary.symbols[$0].bytes }, as: UTF8.self)
            if text.format == .jsonl {
                let record = NoveltyRecord(
                    index: self.text.first + index, longestCopiedRun: result.longestRun, copied: copied,
                    windows: result.windows,
                    copiedWindows: result.copiedWindows)
                try StandardOutput.write(try SampleWriter.line(record))
            } else {
                let share = result.windows > 0 ? 100 * Double(result.copiedWindows) / Double(result.windows) : 0
                StandardError.print(
                    "sample \(self.text.first + index + 1): the longest run copied from the text has \(result.longestRun) symbols "
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
