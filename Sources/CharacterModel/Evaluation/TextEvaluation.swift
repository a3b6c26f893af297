import Cluster
import Concurrency
import Tokenization

/// Where the state is reset while a text is scored.
public enum StatePolicy: String, Sendable, Codable, CaseIterable {
    /// At the beginning of each file.
    case file
    /// At the beginning of each line, after the preceding line feed.
    case line
    /// Only at the beginning of the first file.
    case carry
}

/// A model's score of a text, in total and per file.
public struct TextEvaluation: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        public var likelihood = Likelihood()
        public var unknownTokens = 0
        /// How many of the tokens are ends of records.
        public var records = 0
        public var counts: TextCounts
        /// The standard error of the mean nats per token; nil for fewer than 2,000 tokens.
        public var standardError: Double?

        /// Bits per grapheme cluster of the original text: comparable between models with different symbols.
        public var bitsPerCharacter: Double { likelihood.bits(per: counts.characters) }
        /// Bits per byte of the original text.
        public var bitsPerByte: Double { likelihood.bits(per: counts.bytes) }
    }

    public var files: [File]
    /// All files together.
    public var total: File
    /// The total under the network alone and under the counts alone, for a model that mixes both.
    public var network: Likelihood?
    public var ngrams: Likelihood?
}

/// One symbol of a scored text.
public struct Surprisal: Sendable {
    /// The index of its file, its first byte there, and its line, counted from 1. Bytes are those of the text as the model reads
    /// it: UTF-8 in its normal form.
    public var file: Int
    public var offset: Int
    public var line: Int
    /// nil for the end of a record.
    public var symbol: Symbol?
    /// -ln p, including the spelling of an unknown symbol.
    public var nats: Double
    public var prediction: Prediction
}

extension LanguageModel {
    /// Scores a text, each symbol given all the symbols before it.
    ///
    /// - Parameters:
    ///   - corpus: read by ``corpus(reading:format:cache:progress:)``, or in the same way.
    ///   - state: where the model's state is reset.
    ///   - threads: does not affect the result; nil: one per core.
    ///   - isCancelled: polled regularly; returning true stops the work.
    ///   - progress: called regularly with the number of symbols scored so far.
    ///   - perSymbol: called with each symbol, in order.
    /// - Throws: `EvaluationError` if the text was not read the way the model reads texts, and `.cancelled`.
    public func evaluate(
        _ corpus: Corpus, state: StatePolicy = .file, threads: Int? = nil,
        isCancelled: @Sendable () -> Bool = { false }, progress: ((Int) -> Void)? = nil,
        perSymbol: ((Surprisal) -> Void)? = nil
    ) throws(EvaluationError) -> TextEvaluation {
        try evaluate(
            corpus, state: state, threads: threads, on: nil, predicts: perSymbol != nil, isCancelled: isCancelled,
            progress: progress, perSymbol: perSymbol)
    }

    /// The same, shared by the ranks of a launch, all of which must call it; only rank 0 gets the result.
    package func evaluate(
        _ corpus: Corpus, state: StatePolicy, threads: Int?, on cluster: Cluster?, predicts: Bool,
        isCancelled: @Sendable () -> Bool = { false }, progress: ((Int) -> Void)? = nil,
        perSymbol: ((Surprisal) -> Void)? = nil
    ) throws(EvaluationError) -> TextEvaluation {
        try vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        let endsLine = corpus.symbols.map { $0.bytes.last == 0x0A }
        var files = corpus.files.map { TextEvaluation.File(name: $0.name, counts: $0.counts) }
        var total = TextEvaluation.File(name: corpus.name, counts: corpus.counts)
        var errors = (file: BlockedError(), total: BlockedError())
        var (alone, file, line, offset) = (mixture.map { _ in Alone() }, 0, 1, 0)
        let isDone = network.scoreExactly(
            text, mixing: mixture, using: Workers(count: max(1, threads ?? Workers.cores)), predicts: predicts,
            on: cluster,
            isCancelled: isCancelled
        ) { score in
            let (position, symbol, nats) = (score.position, score.symbol, score.nats)
            if position & 0xFFF == 0 { progress?(position) }
            while !corpus.files[file].tokens.contains(position) {
                files[file].standardError = errors.file.standardError
                errors.file = BlockedError()
                (file, line, offset) = (file + 1, 1, 0)
            }
            let isUnknown = text.id(ofSymbol: symbol) == text.unknown
            let one = Likelihood(nats: nats, tokens: 1)
            files[file].likelihood += one
            files[file].unknownTokens += isUnknown ? 1 : 0
            total.likelihood += one
            alone?.add(score)
            total.unknownTokens += isUnknown ? 1 : 0
            errors.file.add(nats)
            errors.total.add(nats)
            let isEnd = symbol == Corpus.endOfRecord
            files[file].records += isEnd ? 1 : 0
            total.records += isEnd ? 1 : 0
            let spelled = isEnd ? nil : corpus.symbols[Int(symbol)]
            if let perSymbol, let prediction = score.prediction {
                perSymbol(
                    Surprisal(
                        file: file, offset: offset, line: line, symbol: spelled, nats: nats, prediction: prediction))
            }
            offset += spelled?.bytes.count ?? corpus.records?.length ?? 0
            if isEnd ? corpus.records == .line : endsLine[Int(symbol)] { line += 1 }
        }
        guard isDone else { throw .cancelled }
        if file < files.count { files[file].standardError = errors.file.standardError }
        total.standardError = errors.total.standardError
        return TextEvaluation(files: files, total: total, network: alone?.network, ngrams: alone?.ngrams)
    }
}

/// The totals of what is mixed, each alone.
private struct Alone {
    var network = Likelihood()
    var ngrams = Likelihood()

    mutating func add(_ score: SymbolScore) {
        network += Likelihood(nats: score.networkNats ?? 0, tokens: 1)
        ngrams += Likelihood(nats: score.countsNats ?? 0, tokens: 1)
    }
}

extension EncodedText {
    /// A whole corpus, with state resets as a policy says.
    init(_ corpus: Corpus, vocabulary: Vocabulary, state: StatePolicy) {
        self.init(corpus, vocabulary: vocabulary)
        switch state {
        case .file: break
        case .carry: restartNowhere()
        case .line: restartAtLines()
        }
    }
}
