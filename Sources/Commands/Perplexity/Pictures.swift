import CharacterModel
import CommandSupport
import Reports
import Tokenization

/// Writes the table and the page of every symbol's surprisal, if requested.
final class Pictures {
    private let table: (lines: SurprisalTable, file: OutputFile)?
    private var page: (content: SurprisalPage, path: String)?

    /// Replaces the old table: all input has been read by now.
    init(_ corpus: Corpus, _ model: LanguageModel, table: String?, page: String?) throws {
        let names = corpus.files.map(\.name)
        self.table = try table.map { (SurprisalTable(files: names), try OutputFile(path: $0)) }
        self.page = page.map {
            (SurprisalPage(files: names, vocabulary: model.vocabulary), $0)
        }
        self.table?.file.write(SurprisalTable.header)
    }

    var areWanted: Bool { table != nil || page != nil }

    func add(_ surprisal: Surprisal) {
        if let table { table.file.write(table.lines.line(surprisal)) }
        page?.content.add(surprisal)
    }

    /// - Throws: `CheckpointError` if a file could not be written completely.
    func finish(title: String, _ report: EvaluationReport) throws {
        try table?.file.finish()
        guard page != nil else { return }
        let text = page!.content.page(
            title: title, sentence: report.sentence, summary: report.facts, chart: report.baselineChart)
        try AtomicFile.replace(page!.path, with: text)
    }
}
