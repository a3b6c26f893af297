import Tokenization

extension LanguageModel {
    /// Reads texts as the model reads them: in its unit, normal form and records, and with line ends as in training. The charset
    /// is each text's own.
    ///
    ///     let score = try model.evaluate(model.corpus(reading: [.text("Nevermore")]))
    ///
    /// - Parameters:
    ///   - sources: the texts.
    ///   - format: another way to read the bytes; the byte unit has none.
    ///   - cache: a folder that keeps the tokens of files, so that a long text is cut into symbols once.
    ///   - progress: is told now and then how many bytes have been read.
    /// - Throws: `TextError` for what cannot be read or decoded.
    public func corpus(
        reading sources: [TextSource], format: TextFormat? = nil, cache: String? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(TextError) -> Corpus {
        try Corpus(
            reading: sources, unit: vocabulary.unit, normalization: vocabulary.normalization,
            format: format ?? textFormat, records: vocabulary.records, cache: cache, progress: progress)
    }

    /// Line ends are part of how a model reads.
    package var textFormat: TextFormat {
        var format = TextFormat()
        format.newlines = training?.corpus.format.newlines ?? format.newlines
        return format
    }

    /// ln p of each symbol that may follow a text, by id: V of them, which with the end of a record (the vocabulary's `boundary`)
    /// and `unknown` are all that may come. Their exponentials sum to 1.
    ///
    ///     let e = model.vocabulary.id(of: Symbol("e"))
    ///     let p = try exp(model.logProbabilities(after: "nevermor")[e])
    ///
    /// The weights are read as they are.
    ///
    /// - Throws: `TextError` if the text cannot be cut into symbols.
    public func logProbabilities(after text: String) throws(TextError) -> [Double] {
        try generator(prompt: text, strategy: .greedy, seed: 0, isExact: true).logProbabilities
    }
}
