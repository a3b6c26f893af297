import Tokenization

extension Vocabulary {
    /// The union of both vocabularies' symbols, with this vocabulary's way of reading text.
    package func extended(by other: Vocabulary) -> Vocabulary {
        Vocabulary(
            unit: unit, normalization: normalization, records: other.records,
            symbols: Set(symbols + other.symbols).sorted())
    }
}
