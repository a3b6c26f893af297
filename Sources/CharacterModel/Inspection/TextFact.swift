import Tokenization

/// A fact about a place in a text that a program can check. A place is right after a symbol was read.
public enum TextFact: String, Sendable, CaseIterable {
    /// Between quotation marks, the opening one included; closed by its partner, a blank line or the end of a record.
    case insideQuotes = "inside quotes"
    /// Between round, square, curly or corner brackets, by the same rules; they may be nested.
    case insideBrackets = "inside brackets"
    /// The symbol is a letter, a mark or a digit.
    case insideWord = "inside a word"
    case upperCase = "upper case"
    case digit = "digit"
    /// The symbol is the first of a line, or of a record.
    case lineStart = "start of a line"
    /// How many symbols of the line were read.
    case positionInLine = "position in the line"
    /// How many symbols of the word were read; 0 outside of words.
    case positionInWord = "position in the word"

    /// Whether the fact is true or false at each place, and not a number.
    public var isBinary: Bool { self != .positionInLine && self != .positionInWord }
}

/// What a symbol says about the facts.
private struct SymbolTraits {
    var scalar: Unicode.Scalar?
    var isWord = false
    var isUpperCase = false
    var isDigit = false
    var endsLine = false

    init(_ text: String) {
        endsLine = text.utf8.last == 0x0A
        guard let first = text.unicodeScalars.first else { return }
        let properties = first.properties
        scalar = first
        isDigit = properties.generalCategory == .decimalNumber
        isUpperCase = properties.isUppercase
        isWord = properties.isAlphabetic || isDigit || properties.generalCategory == .nonspacingMark
    }
}

/// Follows the facts through a text; bytes are put together to characters.
struct FactReader {
    private let symbols: [Symbol]
    /// Of each symbol; nil for a byte that is a part of a character.
    private let traits: [SymbolTraits?]
    private var stream = UTF8Stream()
    private var last = [Float](repeating: 0, count: TextFact.allCases.count)
    private var quote: Unicode.Scalar?
    private var brackets = 0
    private var column = 0
    private var letters = 0

    /// - Parameter symbols: those of the corpus.
    init(symbols: [Symbol]) {
        self.symbols = symbols
        traits = symbols.map { String(validating: $0.bytes, as: UTF8.self).map { SymbolTraits($0) } }
    }

    /// Reads a symbol.
    ///
    /// - Parameters:
    ///   - symbol: its index in the corpus.
    ///   - isFresh: whether a text or a record begins with it.
    /// - Returns: for each of ``TextFact``'s cases, its value: 0 or 1 for a binary one.
    mutating func read(_ symbol: Int, isFresh: Bool) -> [Float] {
        if isFresh {
            (quote, brackets, column, letters, stream) = (nil, 0, 0, 0, UTF8Stream())
            last = [Float](repeating: 0, count: TextFact.allCases.count)
        }
        guard symbol != Corpus.endOfRecord else { return [Float](repeating: 0, count: TextFact.allCases.count) }
        // Until a character is complete, the facts are those before it.
        guard let one = traits[symbol] ?? completed(symbols[symbol].bytes) else { return last }
        let isFirst = column == 0
        if one.endsLine && isFirst { (quote, brackets) = (nil, 0) }
        if let scalar = one.scalar { follow(scalar) }
        column = one.endsLine ? 0 : column + (one.scalar == "\r" ? 0 : 1)
        letters = one.isWord ? letters + 1 : 0
        last = TextFact.allCases.map { fact in
            switch fact {
            case .insideQuotes: quote == nil ? 0 : 1
            case .insideBrackets: brackets > 0 ? 1 : 0
            case .insideWord: one.isWord ? 1 : 0
            case .upperCase: one.isUpperCase ? 1 : 0
            case .digit: one.isDigit ? 1 : 0
            case .lineStart: isFirst && (one.endsLine || one.scalar != "\r") ? 1 : 0
            case .positionInLine: Float(column)
            case .positionInWord: Float(letters)
            }
        }
        return last
    }

    /// What a byte that ends a character says.
    private mutating func completed(_ bytes: [UInt8]) -> SymbolTraits? {
        let text = stream.append(bytes)
        return text.isEmpty ? nil : SymbolTraits(text)
    }

    /// The marks that end a quotation, by the mark that began it: „so“, »so«, ”so” and «so» are all in use.
    private static let closing: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\"": ["\""], "“": ["”"], "„": ["“", "”"], "”": ["”"], "«": ["»"], "»": ["«"], "「": ["」"], "『": ["』"],
    ]

    private mutating func follow(_ scalar: Unicode.Scalar) {
        if let open = quote {
            if Self.closing[open]!.contains(scalar) { quote = nil }
        } else if Self.closing[scalar] != nil {
            quote = scalar
        }
        switch scalar {
        case "(", "[", "{", "（", "［", "【", "〈", "《": brackets += 1
        case ")", "]", "}", "）", "］", "】", "〉", "》": brackets = max(0, brackets - 1)
        default: break
        }
    }
}
