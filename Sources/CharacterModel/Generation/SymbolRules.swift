import Tokenization

/// Symbols and texts that the user wants more, less, or never.
public struct SymbolRules: Sendable, Equatable {
    /// What is added to the logits of symbols, by id.
    package private(set) var biases: [Int: Double] = [:]
    /// Texts that are never generated, as ids.
    package private(set) var bans: [[Int]] = []

    public static let none = SymbolRules()

    private init() {}

    /// - Parameters:
    ///   - vocabulary: the model's.
    ///   - bans: texts that are never generated, each of one symbol or more. Texts the vocabulary cannot spell never
    ///     appear anyway.
    ///   - biases: texts of one symbol, and the value added to their logits.
    /// - Throws: `SamplingError` for an empty ban, a bias on something that is not a symbol of the vocabulary, or a
    ///   bias beyond ±1000.
    public init(
        bans: [String] = [], biases: [(symbol: String, value: Double)] = [], vocabulary: Vocabulary
    ) throws(SamplingError) {
        func ids(_ text: String) -> [Int] {
            let tokenizer = try? Tokenizer(unit: vocabulary.unit, normalization: vocabulary.normalization)
            let symbols = try? tokenizer?.symbols(of: Array(text.utf8), path: "a text")
            return (symbols ?? []).map { vocabulary.id(of: $0) }
        }
        for text in bans {
            let ids = ids(text)
            guard !ids.isEmpty else { throw SamplingError(name: "ban", value: "\"\"", allowed: "a text") }
            if !ids.contains(vocabulary.unknown) { self.bans.append(ids) }
        }
        for (text, value) in biases {
            let ids = ids(text)
            guard ids.count == 1, ids[0] != vocabulary.unknown else {
                throw SamplingError(
                    name: "bias", value: text.debugDescription, allowed: "of one symbol that the model knows")
            }
            self.biases[ids[0], default: 0] += value
        }
        for sum in self.biases.values where !(abs(sum) <= 1_000) {
            throw SamplingError(name: "bias", value: "\(sum)", allowed: "from -1000 to 1000")
        }
    }

    /// How many symbols back a ban looks.
    package var reach: Int { bans.reduce(0) { max($0, $1.count - 1) } }

    /// The ids that are banned after the given symbols.
    package func banned(after history: [Int]) -> Set<Int> {
        Set(bans.filter { history.suffix($0.count - 1).elementsEqual($0.dropLast()) }.map { $0[$0.count - 1] })
    }
}
