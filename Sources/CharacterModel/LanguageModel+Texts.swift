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
        try generator(prompt: text, strategy: .greedy, seed: 0, isExact: true).logProbabilities
    }
}
