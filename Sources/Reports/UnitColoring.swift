import CharacterModel
import Tokenization

/// A text coloured by a unit's output for a terminal; without colours, a row of digits under each line: 0 for the lowest, 9 for the
/// highest.
public struct UnitColoring {
    private let reach: Float
    private let isColored: Bool
    private var stream = UTF8Stream()
    private var digits = ""
    private var isLineOpen = false

    /// - Parameter values: all of the unit's outputs, for the scale.
    public init(_ values: [Float], isColored: Bool) {
        let reach = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
        (self.reach, self.isColored) = (reach > 0 ? reach : 1, isColored)
    }

    /// What to print for a symbol; nil for the end of a record. Control characters cannot reach the terminal.
    public mutating func text(of symbol: Symbol?, _ value: Float) -> String {
        let text = stream.append(symbol?.bytes ?? Array("\n".utf8))
        guard !text.isEmpty else { return "" }
        let endsLine = text.last?.isNewline ?? false
        let shown = printable(endsLine ? String(text.dropLast()) : text)
        let result = shown.isEmpty ? "" : isColored ? colored(shown, value) : shown
        if !isColored { for character in shown { digits += String(digit(value)) + (isWide(character) ? " " : "") } }
        isLineOpen = !endsLine
        return endsLine ? result + endLine() : result
    }

    /// The scale, in words.
    public var legend: String {
        let (low, high) = (formatted(Double(-reach), decimals: 2), formatted(Double(reach), decimals: 2))
        return isColored ? "blue: down to \(low); orange: up to \(high)" : "0: \(low); 9: \(high)"
    }

    /// Whether a terminal gives a character two columns (Unicode's East Asian width, in blocks).
    private func isWide(_ character: Character) -> Bool {
        let blocks: [ClosedRange<UInt32>] = [
            0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
        ]
        return character.unicodeScalars.first.map { scalar in blocks.contains { $0.contains(scalar.value) } } ?? false
    }

    /// The end of a file's last line, if it has none itself.
    public mutating func endFile() -> String {
        let rest = stream.finish()
        return rest + (isLineOpen || !rest.isEmpty ? endLine() : "")
    }

    private mutating func endLine() -> String {
        defer { (digits, isLineOpen) = ("", false) }
        return isColored || digits.isEmpty ? "\n" : "\n\(digits)\n"
    }

    /// From -1 to 1; nil where it is not known.
    private func share(_ value: Float) -> Float? { value.isFinite ? value / reach : nil }

    private func digit(_ value: Float) -> Character {
        share(value).map { Character(String(min(9, max(0, Int(($0 + 1) * 5))))) } ?? " "
    }

    /// Blue for low and orange for high outputs, which the colour-blind can tell apart, of xterm's 256 colours.
    private func colored(_ text: String, _ value: Float) -> String {
        guard let share = share(value) else { return text }
        let styles = [
            "48;5;24;38;5;231", "48;5;67;38;5;231", "48;5;153;38;5;16", "", "48;5;223;38;5;16", "48;5;215;38;5;16",
            "48;5;166;38;5;231",
        ]
        let style = styles[min(6, max(0, Int((share * 3.5 + 3.5).rounded(.down))))]
        return style.isEmpty ? text : "\u{1B}[\(style)m\(text)\u{1B}[0m"
    }
}
