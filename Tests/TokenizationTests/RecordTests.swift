import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite("Records")
struct RecordTests {
    private func read(_ text: String, _ records: RecordSeparator, block: Int = 1 << 20) throws -> Corpus {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, to: "t")
        return try Corpus(
            reading: [.file(path: path)], unit: .grapheme, normalization: .nfc,
            reader: TextReader(blockSize: block, format: TextFormat()), records: records)
    }

    private func strings(_ corpus: Corpus) -> [String] {
        corpus.recordRanges.map { String(decoding: corpus.bytes(in: $0), as: UTF8.self) }
    }

    @Test("Records end where they should, wherever blocks end", arguments: [1, 2, 3, 5, 1 << 20])
    func splits(block: Int) throws {
        for (separator, text, expected) in [
            (RecordSeparator.line, "ann\n\nbob\r\ncé", ["ann", "bob", "cé"]), (.line, "\n\n", []), (.line, "", []),
            (.line, "a\rb\n", ["a\rb"]),
            (.blankLine, "a\nb\n\n \t\r\n\nc\n", ["a\nb", "c"]), (.blankLine, "\n\na\r\n\r\nb", ["a", "b"]),
            (.blankLine, "\na\nb\n", ["a\nb"]), (.blankLine, " \n a\n \nb\n\t", [" a", "b"]), (.blankLine, " ", []),
            (.blankLine, "a\n\n" + String(repeating: " \r\n", count: 500) + "  b", ["a", "  b"]),
            (.blankLine, "a\n  b\n\n", ["a\n  b"]), (.blankLine, "a\n\n\nb\n\n\n", ["a", "b"]),
            (.text("--"), "a--b-c---d--", ["a", "b-c", "-d"]), (.text("ab"), "aab", ["a"]),
            (.text("\n%\n"), "x\n%\ny\n%\n", ["x", "y"]), (.file, "a\n\nb\n", ["a\n\nb\n"]), (.file, "", []),
        ] {
            let corpus = try read(text, separator, block: block)
            #expect(strings(corpus) == expected, "\(separator) \(text.debugDescription)")
            // Every character of the text is counted, separators too.
            let plain = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
            #expect(corpus.counts == plain.counts, "\(separator) \(text.debugDescription)")
            if corpus.count > 0 {
                #expect(corpus.characters(in: 0..<corpus.count) == plain.counts.characters, "\(text.debugDescription)")
            }
            let ends = corpus.recordRanges.map { corpus[$0.upperBound - 1] }
            #expect(ends.allSatisfy { $0 == Corpus.endOfRecord })
        }
    }

    @Test("Each file is a separate record, whatever the separator")
    func files() throws {
        let sources: [TextSource] = [.bytes(Array("a\nb".utf8), name: "1"), .bytes(Array("c".utf8), name: "2")]
        for (separator, expected) in [(RecordSeparator.file, ["a\nb", "c"]), (.line, ["a", "b", "c"])] {
            #expect(strings(try Corpus(reading: sources, records: separator)) == expected)
        }
    }

    @Test("An invalid byte in a record is an error with its offset in the file")
    func invalid() throws {
        let source = TextSource.bytes(Array("ann\nb".utf8) + [0xFF] + Array("b\n".utf8), name: "t")
        #expect(throws: TextError.invalidUTF8(path: "t", offset: 5)) {
            try Corpus(reading: [source], records: .line)
        }
    }

    @Test("Offsets count a byte-order mark, with records too")
    func offsetBehindMark() throws {
        let source = TextSource.bytes([0xEF, 0xBB, 0xBF] + Array("abc\nab".utf8) + [0xFF, 0x0A], name: "t")
        var format = TextFormat()
        format.encoding = .named("utf-8")
        #expect(throws: TextError.invalidUTF8(path: "t", offset: 9)) {
            try Corpus(reading: [source], format: format, records: .line)
        }
    }

    @Test("Characters without a token are counted in their own file")
    func charactersOfFiles() throws {
        let blank = String(repeating: "\n", count: 600)
        let texts = ["ab\n\n\ncd", blank + "ef" + blank + "g", "\n\n", "\u{AD}h\u{AD}"]
        let corpus = try Corpus(
            reading: texts.map { .bytes(Array($0.utf8), name: "t") }, normalization: .nfkcCasefold, records: .blankLine)
        for file in corpus.files where !file.tokens.isEmpty {
            #expect(corpus.characters(in: file.tokens) == file.counts.characters)
        }
    }
}
