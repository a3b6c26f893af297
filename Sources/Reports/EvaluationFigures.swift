import CharacterModel
import Glibc
import Tokenization

/// The figures of one file, or of all files.
struct EvaluationFigures: Encodable {
    let name: String
    let nats: Double
    let tokens: Int
    let perplexity: Double?
    let bitsPerToken: Double?
    let bitsPerCharacter: Double?
    let bitsPerScalar: Double?
    let bitsPerByte: Double?
    let bitsPerWord: Double?
    let wordPerplexity: Double?
    let standardError: Double?
    let unknownTokens: Int
    let records: Int
    let bytes: Int
    let scalars: Int
    let characters: Int
    let words: Int

    init(_ file: TextEvaluation.File) {
        let (likelihood, counts) = (file.likelihood, file.counts)
        /// An empty text has no figures per unit; neither does a mean that overflows.
        func finite(_ value: Double) -> Double? { value.isFinite && likelihood.tokens > 0 ? value : nil }
        name = file.name
        nats = likelihood.nats
        tokens = likelihood.tokens
        perplexity = finite(likelihood.perplexity)
        bitsPerToken = finite(likelihood.bitsPerToken)
        bitsPerCharacter = finite(likelihood.bits(per: counts.characters))
        bitsPerScalar = finite(likelihood.bits(per: counts.scalars))
        bitsPerByte = finite(likelihood.bits(per: counts.bytes))
        bitsPerWord = finite(likelihood.bits(per: counts.words))
        wordPerplexity = finite(exp(likelihood.nats / Double(counts.words)))
        standardError = file.standardError
        unknownTokens = file.unknownTokens
        records = file.records
        bytes = counts.bytes
        scalars = counts.scalars
        characters = counts.characters
        words = counts.words
    }

    /// Undefined values are encoded as null, not omitted.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(nats, forKey: .nats)
        try container.encode(tokens, forKey: .tokens)
        for (key, value) in [
            (CodingKeys.perplexity, perplexity), (.bitsPerToken, bitsPerToken), (.bitsPerWord, bitsPerWord),
            (.wordPerplexity, wordPerplexity),
            (.bitsPerCharacter, bitsPerCharacter), (.bitsPerScalar, bitsPerScalar), (.bitsPerByte, bitsPerByte),
            (.standardError, standardError),
        ] { try container.encode(value, forKey: key) }
        for (key, value) in [
            (CodingKeys.unknownTokens, unknownTokens), (.records, records), (.bytes, bytes), (.scalars, scalars),
            (.characters, characters), (.words, words),
        ] { try container.encode(value, forKey: key) }
    }

    private enum CodingKeys: String, CodingKey {
        case name, nats, tokens, perplexity, bitsPerToken, bitsPerCharacter, bitsPerScalar, bitsPerByte
        case bitsPerWord, wordPerplexity, standardError, unknownTokens, records, bytes, scalars, characters, words
    }
}
