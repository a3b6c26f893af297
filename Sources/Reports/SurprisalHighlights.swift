import CharacterModel
import Tokenization

/// The most and least expected lines and words of a text.
struct SurprisalHighlights {
    private struct Passage {
        /// The index of its line.
        var line: Int
        var text = ""
        var bytes: [UInt8] = []
        var nats = 0.0
        var symbols = 0
        var mean: Double { nats / Double(symbols) }
    }

    private var lines: [Passage] = []
    private var openLine: Passage?
    /// The least expected occurrence of each word.
    private var words: [String: Passage] = [:]
    private var openWord: Passage?

    /// - Parameter line: the index of the symbol's line.
    mutating func add(_ surprisal: Surprisal, line: Int) {
        openLine = openLine ?? Passage(line: line)
        openLine?.nats += surprisal.nats
        openLine?.symbols += 1
        let bytes = surprisal.symbol?.bytes ?? []
        // A byte of a longer character is a part of a word.
        if String(validating: bytes, as: UTF8.self).map(Self.isPartOfWord) ?? true {
            openWord = openWord ?? Passage(line: line)
            openWord?.bytes += bytes
            openWord?.nats += surprisal.nats
            openWord?.symbols += 1
        } else {
            endWord()
        }
    }

    mutating func endLine() {
        endWord()
        if let line = openLine { lines.append(line) }
        openLine = nil
    }

    private mutating func endWord() {
        defer { openWord = nil }
        // Scripts without spaces have no words here that mean something.
        guard var word = openWord, (4...40).contains(word.symbols) else { return }
        word.text = String(decoding: word.bytes, as: UTF8.self)
        if words[word.text].map({ $0.mean < word.mean }) ?? (words.count < 100_000) { words[word.text] = word }
    }

    private static func isPartOfWord(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        let properties = first.properties
        return properties.isAlphabetic && !properties.isIdeographic && !(0x3040...0x30FF).contains(first.value)
    }

    /// Tables with links to the lines.
    func html(_ texts: [TextPane.Line]) -> String {
        var lines = lines
        for index in lines.indices {
            lines[index].text = texts[lines[index].line].text.split(whereSeparator: \.isNewline).joined()
        }
        // Very short lines have no mean to speak of, and a line that is repeated counts once.
        let long = lines.filter { $0.symbols >= 25 }
        let eligible = long.count >= 30 ? long : lines.filter { $0.symbols >= 10 }
        let ranked = eligible.sorted { ($0.mean, $0.line) < ($1.mean, $1.line) }
        let unlikely = Self.distinct(ranked.reversed())
        var html = table("Least expected lines", unlikely, texts, isOpen: true)
        html += table("Most expected lines", Self.distinct(ranked), texts)
        let words = words.values.sorted { (-$0.mean, $0.line, $0.text) < (-$1.mean, $1.line, $1.text) }
        html += table("Least expected words", Array(words.prefix(15)), texts)
        return html.isEmpty ? "<p>The text is too short.</p>\n" : html
    }

    private static func distinct(_ passages: some Sequence<Passage>) -> [Passage] {
        var seen: Set<String> = []
        return Array(passages.lazy.filter { seen.insert($0.text).inserted }.prefix(15))
    }

    private func table(
        _ title: String, _ passages: [Passage], _ texts: [TextPane.Line], isOpen: Bool = false
    ) -> String {
        guard !passages.isEmpty else { return "" }
        var html = "<details\(isOpen ? " open" : "")><summary>\(title)</summary><div class=scroll>\n"
        html += "<table><tr><th scope=col>nats per symbol<th scope=col>line<th scope=col>text\n"
        for passage in passages {
            let text = HTMLPage.escaped(String(passage.text.prefix(120)))
            html += """
                <tr><td>\(formatted(passage.mean, decimals: 2))<td><a href="#n\(passage.line)">\(texts[passage.line].number)</a>\
                <td dir=auto lang="">\(text)

                """
        }
        return html + "</table></div></details>\n"
    }
}
