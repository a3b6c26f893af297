import RealModule
import Tokenization

extension LanguageModel {
    /// Reads texts the way the model does: with its unit, normal form and records, and with line ends as in training.
    /// Each text has its own charset.
    ///
    ///     let score = try model.evaluate(model.corpus(reading: [.text("Nevermore")]))
    ///
    /// - Parameters:
    ///   - sources: the texts.
    ///   - format: overrides how bytes are read; not used for the byte unit.
    ///   - cache: a folder that caches the tokens of files, so that a long text is tokenized only once.
    ///   - progress: called regularly with the number of bytes read so far.
    /// - Throws: `TextError` if a text cannot be read or decoded.
    public func corpus(
        reading sources: [TextSource], format: TextFormat? = nil, cache: String? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(TextError) -> Corpus {
        try Corpus(
            reading: sources, unit: vocabulary.unit, normalization: vocabulary.normalization,
            format: format ?? textFormat, records: vocabulary.records, cache: cache, progress: progress)
    }

    /// Reads texts and scores them, as `evaluate(corpus(reading: sources))`.
    ///
    ///     print(try model.evaluate([.text("Nevermore")]).total.bitsPerCharacter)
    ///
    /// - Parameters:
    ///   - sources: the texts.
    ///   - state: where the model's state is reset.
    ///   - threads: does not affect the result; nil: one per core.
    /// - Throws: `EvaluationError.text` for what cannot be read, `.empty`.
    public func evaluate(
        _ sources: [TextSource], state: StatePolicy = .file, threads: Int? = nil
    ) throws(EvaluationError) -> TextEvaluation {
        let corpus: Corpus
        do { corpus = try self.corpus(reading: sources) } catch { throw .text(error) }
        return try evaluate(corpus, state: state, threads: threads)
    }

    /// The most likely next characters after a text, with their probabilities, most likely first.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - text: what comes before; an empty one is the start of a text.
    /// - Throws: `TextError` if the text cannot be split into symbols.
    public func likeliest(
        _ count: Int = 5, after text: String
    ) throws(TextError) -> [(symbol: Symbol, probability: Double)] {
        let all = try logProbabilities(after: text)
        return zip(vocabulary.symbols, all).sorted { $0.1 > $1.1 }.prefix(max(0, count)).map { ($0, .exp($1)) }
    }

    /// Line ends are part of how a model reads.
    package var textFormat: TextFormat {
        var format = TextFormat()
        format.newlines = training?.corpus.format.newlines ?? format.newlines
        return format
    }

    /// ln p of each of the V symbols that can follow a text, by id. They include the end of a record (the vocabulary's
    /// `boundary`) and `unknown`. Their exponentials sum to 1.
    ///
    ///     let e = model.vocabulary.id(of: Symbol("e"))
    ///     let p = try exp(model.logProbabilities(after: "nevermor")[e])
    ///
    /// Uses the full-precision weights.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func logProbabilities(after text: String) throws(TextError) -> [Double] {
        try generator(prompt: lastRecord(of: text), strategy: .greedy, seed: 0, isExact: true).logProbabilities
    }

    /// The part of a text behind the last record separator, with line ends as in training: what a symbol after the text
    /// depends on.
    public func lastRecord(of text: String) -> String {
        guard vocabulary.unit != .byte else { return text }
        var text = text
        if textFormat.newlines == .lf { text = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n") }
        let scalars = text.unicodeScalars
        func behind(_ separator: String) -> String {
            scalars.ranges(of: Array(separator.unicodeScalars)).last.map { String(scalars[$0.upperBound...]) } ?? text
        }
        switch vocabulary.records {
        case nil, .file: return text
        case .line: return behind("\n")
        case .text(let separator): return behind(separator)
        case .blankLine:
            let lines = scalars.split(separator: "\n", omittingEmptySubsequences: false)
            let blank = lines.dropLast().lastIndex { $0.allSatisfy(\.properties.isWhitespace) }
            guard let blank else { return text }
            return lines[(blank + 1)...].map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
        }
    }
}
