import Tokenization

extension Vocabulary {
    /// The symbols of both, read as this one reads text.
    public func extended(by other: Vocabulary) -> Vocabulary {
        Vocabulary(
            unit: unit, normalization: normalization, records: other.records,
            symbols: Set(symbols + other.symbols).sorted())
    }
}
