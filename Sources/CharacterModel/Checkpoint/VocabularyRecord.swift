import Tokenization

/// A vocabulary as JSON: symbols are strings, or numbers for the byte unit.
struct VocabularyRecord: Codable {
    let unit: TextUnit
    let normalization: Normalization
    /// The versions used to tokenize the training text; files of other tools may omit them.
    let icu: String?
    let unicode: String?
    /// What ends a record; absent for a text without records.
    let records: String?
    let symbols: Symbols

    enum Symbols: Codable {
        case text([String])
        case bytes([UInt8])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let bytes = try? container.decode([UInt8].self) {
                self = .bytes(bytes)
            } else {
                self = .text(try container.decode([String].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let symbols): try container.encode(symbols)
            case .bytes(let bytes): try container.encode(bytes)
            }
        }
    }

    /// Why a record is not a valid vocabulary.
    struct Flaw: Error {
        let reason: String
    }

    init(_ vocabulary: Vocabulary) {
        unit = vocabulary.unit
        normalization = vocabulary.normalization
        icu = vocabulary.versions.icu
        unicode = vocabulary.versions.unicode
        records = vocabulary.records?.name
        symbols =
            vocabulary.unit == .byte
            ? .bytes(vocabulary.symbols.map { $0.bytes[0] }) : .text(vocabulary.symbols.map(\.text))
    }

    func vocabulary() throws(Flaw) -> Vocabulary {
        let list: [Symbol]
        switch symbols {
        case .text(let strings):
            guard unit != .byte || strings.isEmpty else {
                throw Flaw(reason: "symbols of the byte unit must be numbers")
            }
            guard strings.allSatisfy({ !$0.utf8.isEmpty }) else { throw Flaw(reason: "a symbol is empty") }
            try checkCharacters(strings)
            list = strings.map { Symbol($0) }
        case .bytes(let bytes):
            guard unit == .byte || bytes.isEmpty else { throw Flaw(reason: "symbols must be strings") }
            list = bytes.map { Symbol(bytes: [$0]) }
        }
        guard unit != .byte || normalization == .none else { throw Flaw(reason: "bytes cannot be normalized") }
        if let records, records.isEmpty { throw Flaw(reason: "the record separator is empty") }
        guard zip(list, list.dropFirst()).allSatisfy(<) else {
            throw Flaw(reason: "symbols are repeated or not in the order of their bytes")
        }
        return Vocabulary(
            unit: unit, normalization: normalization, versions: UnicodeVersions(icu: icu ?? "", unicode: unicode ?? ""),
            records: records.map { RecordSeparator(name: $0) }, symbols: list)
    }

    /// Each symbol must be one the tokenizer can produce: a single scalar, or a single cluster if the file's Unicode
    /// version is the current one.
    private func checkCharacters(_ symbols: [String]) throws(Flaw) {
        let several = symbols.filter { $0.unicodeScalars.count > 1 }
        var flawed = unit == .scalar ? several.first : nil
        if unit == .grapheme && unicode == UnicodeVersions.current.unicode,
            let tokenizer = try? Tokenizer(unit: .grapheme, normalization: .none)
        {
            flawed = several.first { (try? tokenizer.symbols(of: Array($0.utf8)).count) != 1 }
        }
        if let flawed {
            throw Flaw(
                reason:
                    "the symbol \(String(flawed.unicodeScalars.prefix(20)).debugDescription) is more than one \(unit)")
        }
    }
}
