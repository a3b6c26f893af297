import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite("Corpus")
struct CorpusTests {
    private func read(
        _ text: [UInt8], unit: TextUnit = .grapheme, normalization: Normalization = .none, block: Int = 1 << 20
    ) throws -> Corpus {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("escriba-\(UUID().uuidString)").path
        try Data(text).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try Corpus(
            reading: [.file(path: path)], unit: unit, normalization: normalization, reader: TextReader(blockSize: block)
        )
    }

    @Test("Symbols and counts do not depend on the size of reads", arguments: [1, 2, 3, 7, 64])
    func blockSizes(_ size: Int) throws {
        let text = Array(hardTexts.joined(separator: "\n").utf8)
        for unit in TextUnit.allCases {
            for form in unit == .byte ? [.none] : Normalization.allCases {
                let whole = try read(text, unit: unit, normalization: form)
                let parts = try read(text, unit: unit, normalization: form, block: size)
                #expect(whole.bytes(in: 0..<whole.count) == parts.bytes(in: 0..<parts.count))
                #expect(whole.count == parts.count && whole.counts == parts.counts)
                #expect(whole.sha256 == parts.sha256)
                let all = 0..<whole.count
                #expect(whole.characters(in: all) == whole.counts.characters, "\(unit) \(form)")
            }
        }
    }

    @Test("Every unit counts the same original text")
    func counts() throws {
        let text = "Él dijo:\r\n“👩‍👩‍👧‍👦 e\u{301}”\u{2003}fin"
        for unit in TextUnit.allCases {
            let corpus = try read(Array(text.utf8), unit: unit)
            #expect(corpus.counts.bytes == text.utf8.count)
            #expect(corpus.counts.scalars == text.unicodeScalars.count)
            #expect(corpus.counts.characters == 18)
            #expect(corpus.counts.words == 5)
        }
    }

    @Test("Bytes that are not UTF-8 count one character for each ill-formed part, wherever the text is split")
    func illFormedCharacters() throws {
        // a, lone FF, a cat, E2 82 cut short, b with a mark.
        let text: [UInt8] = [0x61, 0xFF] + Array("🐈".utf8) + [0xE2, 0x82] + Array("b\u{301}".utf8)
        let corpus = try read(text, unit: .byte)
        #expect(corpus.counts.characters == 5)
        #expect((0..<text.count).map { corpus.characters(in: $0..<$0 + 1) } == [1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0])
    }

    @Test("An invalid byte is an error with the file and the offset, wherever blocks end", arguments: [1, 5, 1 << 20])
    func invalidBytes(block: Int) throws {
        for (prefix, bad) in [
            ("abc\ndef", [0xFF]), ("é\n\né", [0xC3, 0x28]), ("x\n", [0xED, 0xA0, 0x80]), ("", [0xE2, 0x82]),
        ] as [(String, [UInt8])] {
            let text = Array(prefix.utf8) + bad
            do {
                _ = try read(text, block: block)
                Issue.record("\(text) was read")
            } catch TextError.invalidUTF8(_, let offset) {
                #expect(offset == prefix.utf8.count)
            }
            #expect(try read(text, unit: .byte, block: block).count == text.count)
        }
    }

    @Test("Tokens in a file are the tokens in memory")
    func tokensInFile() throws {
        let line = Array("Ελλη\u{301} and some ASCII, e\u{301}\n".utf8)
        let source = TextSource.bytes((0..<130_000).flatMap { _ in line }, name: "t")
        func read(_ blocks: Int, _ records: RecordSeparator?) throws -> Corpus {
            try Corpus(
                reading: [source, .bytes(line, name: "u"), source], unit: .grapheme, normalization: .none,
                reader: TextReader(format: TextFormat()), records: records, into: TokenBuffer(limit: blocks))
        }
        for records in [nil, RecordSeparator.line] {
            let memory = try read(32, records)
            #expect(memory.count > 5 << 20 && !memory.isInFile)
            for blocks in [1, 2, 5] {
                let file = try read(blocks, records)
                #expect(file.isInFile && file.count == memory.count && file.files == memory.files)
                #expect((0..<memory.count).allSatisfy { file[$0] == memory[$0] }, "\(blocks) blocks")
                let part = 1_000_000..<3_000_000
                #expect(file.occurrences(in: [part]) == memory.occurrences(in: [part]))
                #expect(file.characters(in: part) == memory.characters(in: part))
                #expect(file.recordRanges == memory.recordRanges)
            }
        }
    }

    @Test("SHA-256 of \"abc\" is that of FIPS 180-4")
    func digest() throws {
        #expect(
            try read(Array("abc".utf8)).sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("Folders give their files sorted by the bytes of their names, without hidden ones")
    func folders() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("escriba-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
        for (name, text) in [("b.txt", "two"), ("a.txt", "one"), (".hidden", "no"), ("sub/c.txt", "three")] {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        let corpus = try Corpus(reading: TextSource.sources(at: [folder.path]))
        #expect(String(decoding: corpus.bytes(in: 0..<corpus.count), as: UTF8.self) == "onetwothree")
        #expect(corpus.files.map { URL(fileURLWithPath: $0.name).lastPathComponent } == ["a.txt", "b.txt", "c.txt"])
        #expect(corpus.files.map(\.tokens) == [0..<3, 3..<6, 6..<11])
        #expect(throws: TextError.missing(path: "/nowhere/at/all")) { try TextSource.sources(at: ["/nowhere/at/all"]) }
    }
}

@Suite("Vocabulary")
struct VocabularyTests {
    @Test("Symbols are ordered by their bytes, and two special ones follow")
    func order() throws {
        let corpus = try Corpus(reading: [.bytes(Array("zaé\u{10FFFF}a\u{FF}b".utf8), name: "t")])
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        #expect(vocabulary.symbols.map(\.text) == ["a", "b", "z", "é", "\u{FF}", "\u{10FFFF}"])
        #expect(vocabulary.count == 8 && vocabulary.boundary == 6 && vocabulary.unknown == 7)
        #expect(vocabulary.id(of: Symbol("z")) == 2)
        #expect(vocabulary.id(of: Symbol("q")) == vocabulary.unknown)
    }

    @Test("Only the training part defines the vocabulary, and rare symbols are unknown")
    func trainingPart() throws {
        let corpus = try Corpus(reading: [.bytes(Array("aabbbcXYZ".utf8), name: "t")])
        #expect(Vocabulary(of: 0..<6, in: corpus).symbols.map(\.text) == ["a", "b", "c"])
        #expect(Vocabulary(of: 0..<6, in: corpus, minimumCount: 2).symbols.map(\.text) == ["a", "b"])
        #expect(Vocabulary(of: 0..<6, in: corpus, minimumCount: 3).symbols.map(\.text) == ["b"])
    }

    @Test("Spelling an unknown symbol costs 8 bits a byte and 8 for the end; a byte has no end")
    func spelling() {
        let text = Vocabulary(unit: .grapheme, normalization: .nfc, symbols: [])
        #expect(abs(text.spellingCost(of: Symbol("a")) / log(2) - 16) < 1e-12)
        #expect(abs(text.spellingCost(of: Symbol("👍🏽")) / log(2) - 72) < 1e-12)
        let bytes = Vocabulary(unit: .byte, normalization: .none, symbols: [])
        #expect(abs(bytes.spellingCost(of: Symbol(bytes: [0xFF])) / log(2) - 8) < 1e-12)
    }
}
