import Foundation
import TestSupport
import Testing
import Tokenization

/// Texts that are hard to cut: marks, jamo, flags, families, conjuncts, line ends, controls, all planes.
let hardTexts = [
    "plain ASCII, with\na line\r\nand another\rend\n", "\u{E9} e\u{301} \u{1E69} s\u{323}\u{307} s\u{307}\u{323}",
    "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8} 한국", "👩‍👩‍👧‍👦 🇪🇸🇬🇧🇺 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "नमस्ते क्षि ক্ষ தமிழ்",
    "\u{301}alone \u{200D}\u{200D} \u{FEFF}bom \u{0}nul",
    "ﬁ ① Ⅸ İ ẞ", "\r\n\r\n\n\r\r\n", "𝔘𐍈𠀀\u{10FFFF}", "“¿Qué?” —dijo…", "\u{0E33}\u{0E01}\u{0E33}", "",
]

@Suite("Tokenizer")
struct TokenizerTests {
    /// Foundation's own normalizer is an oracle of other make.
    static var forms: [(Normalization, (String) -> String)] {
        [
            (.none, { $0 }), (.nfc, { $0.precomposedStringWithCanonicalMapping }),
            (.nfd, { $0.decomposedStringWithCanonicalMapping }),
            (.nfkc, { $0.precomposedStringWithCompatibilityMapping }),
            (.nfkd, { $0.decomposedStringWithCompatibilityMapping }),
        ]
    }

    @Test("Decoding what was encoded gives the normalized text back, byte for byte", arguments: hardTexts)
    func roundTrip(_ text: String) throws {
        for unit in [TextUnit.grapheme, .scalar] {
            for (form, normalized) in Self.forms {
                let tokenizer = try Tokenizer(unit: unit, normalization: form)
                let bytes = try tokenizer.symbols(of: Array(text.utf8)).flatMap(\.bytes)
                #expect(bytes == Array(normalized(text).utf8), "\(unit) \(form)")
            }
        }
        let bytes = try Tokenizer(unit: .byte, normalization: .none).symbols(of: Array(text.utf8))
        #expect(bytes.map(\.bytes) == text.utf8.map { [$0] })
    }

    @Test("A vocabulary's ids decode to the text they came from", arguments: hardTexts.filter { !$0.isEmpty })
    func vocabularyRoundTrip(_ text: String) throws {
        for unit in TextUnit.allCases {
            let corpus = try Corpus(
                reading: [.bytes(Array(text.utf8), name: "t")], unit: unit, normalization: .none)
            let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
            let ids = try vocabulary.encode(text)
            #expect(vocabulary.decode(ids) == Array(text.utf8))
            #expect(!ids.contains { $0 >= vocabulary.symbols.count })
        }
    }

    @Test("Canonical equivalents are kept apart without normalization and merged by it")
    func equivalents() throws {
        let text = "\u{E9}e\u{301}"
        let apart = try Tokenizer(unit: .grapheme, normalization: .none).symbols(of: Array(text.utf8))
        #expect(apart.count == 2 && apart[0] != apart[1])
        let merged = try Tokenizer(unit: .grapheme, normalization: .nfc).symbols(of: Array(text.utf8))
        #expect(merged.count == 2 && merged[0] == merged[1])
    }

    @Test("Characters are what readers see as one")
    func clusters() throws {
        let tokenizer = try Tokenizer(unit: .grapheme, normalization: .none)
        for (text, count) in [
            ("\r\n", 1), ("\n\r", 2), ("e\u{301}", 1), ("👩‍👩‍👧‍👦", 1), ("🇪🇸🇬🇧", 2), ("👍🏽", 1), ("\u{1112}\u{1161}\u{11AB}", 1),
            ("क्षि", 1),
        ] {
            #expect(try tokenizer.symbols(of: Array(text.utf8)).count == count, "\(text)")
        }
    }

    @Test("The ASCII path splits as ICU does")
    func asciiAgreesWithICU() throws {
        var generator = SystemRandomNumberGenerator()
        for unit in [TextUnit.grapheme, .scalar] {
            for form in Normalization.allCases {
                let tokenizer = try Tokenizer(unit: unit, normalization: form)
                for _ in 0..<200 {
                    let text = (0..<12).map { _ in
                        Bool.random(using: &generator)
                            ? [13, 10, 9, 32][Int.random(in: 0..<4)] : UInt8.random(in: 0..<128)
                    }
                    let fast = try tokenizer.symbols(of: text)
                    // One letter that is not ASCII sends the whole text through ICU.
                    let slow = try tokenizer.symbols(of: text + Array("\u{3B1}".utf8))
                    #expect(fast == Array(slow.dropLast()), "\(unit) \(form) \(text)")
                }
            }
        }
    }

    @Test("Compatibility decomposition and composition agree")
    func compatibility() throws {
        let tokenizer = try Tokenizer(unit: .scalar, normalization: .nfkc)
        #expect(try tokenizer.symbols(of: Array("ｶﾞ".utf8)).map(\.text) == ["ガ"])
        #expect(try tokenizer.symbols(of: Array("ﷺ".utf8)).map(\.text).joined() == "صلى الله عليه وسلم")
    }

    @Test("Case folding folds ASCII and the rest")
    func caseFolding() throws {
        let tokenizer = try Tokenizer(unit: .scalar, normalization: .nfkcCasefold)
        #expect(try tokenizer.symbols(of: Array("ABZ[@".utf8)).map(\.text).joined() == "abz[@")
        #expect(try tokenizer.symbols(of: Array("ÀẞA".utf8)).map(\.text).joined() == "àssa")
    }
}
