import Foundation
import Testing

@testable import Tokenization

/// The tables that skip ICU must agree with ICU everywhere.
@Suite("Fast paths")
struct FastPathTests {
    /// Scalars that join, compose, reorder or split, among others that do nothing.
    private static let pool: [UInt32] =
        Array(0x61...0x66) + [0x0A, 0x0D, 0x20, 0x41, 0x5A, 0x00, 0x7F, 0x85, 0xA9, 0xAD, 0xE9, 0xC5]
        // Marks of several combining classes, and what composes with them.
        + [0x300, 0x301, 0x308, 0x323, 0x327, 0x344, 0x345, 0x34F, 0x1E69, 0x212B, 0x3A9, 0x2126]
        // Hangul: leading, vowel, trailing, precomposed with and without a trailing jamo.
        + [0x1100, 0x1112, 0x1161, 0x1175, 0x11A8, 0x11C2, 0xAC00, 0xAC01, 0xD7A3, 0xA960, 0xD7B0]
        // Indic: consonants, virama, nukta, vowel signs, prepended signs; Thai, Lao, Tibetan, Myanmar.
        + [0x915, 0x924, 0x930, 0x93C, 0x94D, 0x93E, 0x93F, 0x9B0, 0x9CD, 0xA95, 0xACD, 0xC15, 0xC4D, 0xD15, 0xD4D]
        + [0xD4E, 0x600, 0x110BD, 0xE33, 0xE32, 0xEB3, 0xF71, 0xF73, 0x1039, 0x1780, 0x17D2, 0x1B05, 0x1B35]
        // Emoji, modifiers, joiners, selectors, flags, tags.
        + [0x1F468, 0x1F3FD, 0x200D, 0xFE0F, 0x2764, 0x1F1E6, 0x1F1FF, 0xE0061, 0xE007F, 0x200C, 0x200B, 0xFEFF]
        // Ideographs, kana with voicing marks, compatibility forms, beyond the first plane.
        + [0x4E00, 0x65E5, 0x3042, 0x304B, 0x3099, 0xFF76, 0xFF9E, 0xFB01, 0xF900, 0x2F800, 0x20000, 0x1D15E, 0x10FFFF]

    private func randomText(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
            // Now and then a run that is long enough for the table to take over, or any scalar at all.
            let run = Int.random(in: 0..<12, using: &generator) == 0 ? 20 : 1
            for _ in 0..<run {
                let any = UInt32.random(in: 0...0x10FFFF, using: &generator)
                let value =
                    run > 1
                    ? UInt32.random(in: 0x4E00...0x4E20, using: &generator)
                    : any % 8 == 0 ? any : Self.pool.randomElement(using: &generator)!
                if let scalar = Unicode.Scalar(value) { text.append(scalar) }
            }
        }
        return Array(String(text).utf8)
    }

    /// What ICU alone makes of a text: its symbols, and the characters of the original.
    private func plain(_ text: [UInt8], _ unit: TextUnit, _ form: Normalization) throws -> ([[UInt8]], Int) {
        let clusters = try ClusterIterator()
        let original = try text.withUnsafeBufferPointer { try utf16(of: $0) }
        func cut(_ units: [UInt16]) throws -> [[UInt8]] {
            var from = 0
            var symbols: [[UInt8]] = []
            try units.withUnsafeBufferPointer { all in
                try clusters.forEachEnd(in: all) { end in
                    symbols.append(Array(String(decoding: units[from..<end], as: UTF16.self).utf8))
                    from = end
                }
            }
            return symbols
        }
        let symbols = try cut(try form.apply(to: original))
        let scalars = symbols.flatMap { symbol in
            String(decoding: symbol, as: UTF8.self).unicodeScalars.map { Array(String($0).utf8) }
        }
        return (unit == .grapheme ? symbols : scalars, try cut(original).count)
    }

    private struct Collector: SymbolSink {
        var symbols: [[UInt8]] = []
        var starts = 0

        mutating func append(_ symbol: UnsafeBufferPointer<UInt8>, startsCharacter: Bool) {
            symbols.append(Array(symbol))
            starts += startsCharacter ? 1 : 0
        }
    }

    @Test("Symbols and counts are ICU's", arguments: Normalization.allCases, [TextUnit.grapheme, .scalar])
    func agreesWithICU(form: Normalization, unit: TextUnit) throws {
        let seed = UInt64(form.rawValue.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        var generator = Generator(state: seed)
        let tokenizer = try Tokenizer(unit: unit, normalization: form)
        for round in 0..<3_000 {
            let text = randomText(&generator)
            var collector = Collector()
            var inWord = false
            let piece = try text.withUnsafeBufferPointer {
                try tokenizer.tokenize($0, path: "t", offset: 0, inWord: &inWord, into: &collector)
            }
            let (symbols, characters) = try plain(text, unit, form)
            let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
            try #require(collector.symbols == symbols, "round \(round): \(scalars.map { String($0.value, radix: 16) })")
            #expect(piece.counts.characters == characters && collector.starts + piece.surplusCharacters == characters)
            #expect(piece.counts.scalars == scalars.count && piece.counts.bytes == text.count)
            let words = scalars.split { $0.properties.isWhitespace }.count
            #expect(piece.counts.words == words)
        }
    }

    @Test("The byte unit reads raw bytes and gives the same counts as the grapheme unit")
    func bytes() throws {
        var generator = Generator(state: 9)
        for round in 0..<300 {
            // Elsewhere than at the beginning, U+FEFF is no mark.
            let text = [0x61] + randomText(&generator)
            let source = TextSource.bytes(text, name: "t")
            let bytes = try Corpus(reading: [source], unit: .byte)
            let clusters = try Corpus(reading: [source], unit: .grapheme, normalization: .none)
            #expect(bytes.bytes(in: 0..<bytes.count) == text && bytes.counts == clusters.counts, "round \(round)")
            #expect(bytes.characters(in: 0..<bytes.count) == clusters.count)
        }
    }

    @Test("A long text's tokens are those of its parts, across blocks")
    func longText() throws {
        let part = Array("Ελλη e\u{301}\n".utf8)
        let corpus = try Corpus(
            reading: [.bytes((0..<400_000).flatMap { _ in part }, name: "t")], unit: .scalar, normalization: .none)
        #expect(corpus.count == 8 * 400_000)
        for position in stride(from: 0, to: corpus.count, by: 7_919) {
            #expect(corpus[position] == corpus[position % 8])
        }
        #expect(corpus.occurrences(in: [0..<corpus.count]).reduce(0, +) == corpus.count)
    }

    @Test("Ids do not depend on the path that found them")
    func sinks() throws {
        var generator = Generator(state: 5)
        for unit in [TextUnit.grapheme, .scalar] {
            let text = (0..<200).flatMap { _ in randomText(&generator) }
            let corpus = try Corpus(reading: [.bytes(text, name: "t")], unit: unit, normalization: .nfc)
            let tokenizer = try Tokenizer(unit: unit, normalization: .nfc)
            let symbols = try tokenizer.symbols(of: text)
            #expect((0..<corpus.count).map { corpus.symbols[corpus[$0]] } == symbols)
            #expect(Set(corpus.symbols).count == corpus.symbols.count)
        }
    }
}

private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) &* 0x9E37_79B9_7F4A_7C15
    }
}
