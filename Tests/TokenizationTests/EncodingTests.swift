import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite("Encodings")
struct EncodingTests {
    /// A text that a charset can hold, by charset: `iconv`, of the C library, is an encoder of other make.
    static let texts: [(String, String)] = [
        ("UTF-8", "naïve 日本 👩‍👩‍👧 e\u{301}\n"), ("UTF-16LE", "naïve 日本 👩‍👩‍👧 𠀀\n"), ("UTF-16BE", "naïve 日本 𠀀\n"),
        ("UTF-32LE", "naïve 𠀀\n"), ("UTF-32BE", "naïve 𠀀\n"), ("ISO-8859-1", "¿Qué? ÿ\n"), ("ISO-8859-7", "Ελληνικά\n"),
        ("windows-1250", "Zażółć gęślą jaźń\n"), ("windows-1251", "Съешь же ещё\n"), ("KOI8-R", "Съешь же ещё\n"),
        ("Shift_JIS", "日本語のテキスト ｶﾅ\n"), ("EUC-JP", "日本語のテキスト\n"), ("EUC-KR", "한국어 글\n"), ("GB18030", "汉字 𠀀 ü\n"),
        ("Big5", "漢字文本\n"),
    ]

    private func encoded(_ text: String, _ charset: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["iconv", "-f", "UTF-8", "-t", charset]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "iconv has no \(charset)")
        return bytes
    }

    /// The text of a file, read in blocks of a size.
    private func read(
        _ bytes: [UInt8], _ encoding: TextEncoding, block: Int = 1 << 20, policy: InvalidPolicy = .error,
        newlines: Newlines = .keep, name: String = "t"
    ) throws -> (text: [UInt8], reading: TextReading) {
        let folder = try TemporaryFolder()
        let path = folder.file(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        var format = TextFormat()
        (format.encoding, format.onInvalid, format.newlines) = (encoding, policy, newlines)
        let corpus = try Corpus(
            reading: [.file(path: path)], unit: .scalar, normalization: .none,
            reader: TextReader(blockSize: block, format: format))
        return (corpus.bytes(in: 0..<corpus.count), corpus.files[0].reading)
    }

    @Test("A charset's bytes give the text they encode, wherever blocks end", arguments: texts)
    func named(charset: String, text: String) throws {
        let whole = String(repeating: text, count: 5)
        let bytes = try encoded(whole, charset)
        for block in [1, 2, 3, 5, 1 << 20] {
            #expect(try read(bytes, .named(charset), block: block).text == Array(whole.utf8), "blocks of \(block)")
        }
    }

    @Test("A pair that straddles the decoder's buffer is whole", arguments: [0, 1])
    func pairs(shift: Int) throws {
        let text = String(repeating: "a", count: shift) + String(repeating: "\u{1F600}", count: 70_000)
        let wide = try encoded(text, "UTF-16LE")
        #expect(try read(wide, .named("UTF-16LE")).text == Array(text.utf8))
        #expect(try read(Array(text.utf8), .named("UTF-8"), policy: .replace).text == Array(text.utf8))
        let bad = wide + [0x00, 0xDC]
        #expect(try read(bad, .named("UTF-16LE"), policy: .skip).text == Array(text.utf8))
    }

    @Test("A byte-order mark sets the charset, and is not text")
    func marks() throws {
        let text = "naïve 日本\n"
        for (charset, mark) in [
            ("UTF-8", [0xEF, 0xBB, 0xBF]), ("UTF-16LE", [0xFF, 0xFE]), ("UTF-16BE", [0xFE, 0xFF]),
            ("UTF-32LE", [0xFF, 0xFE, 0, 0]), ("UTF-32BE", [0, 0, 0xFE, 0xFF]),
        ] as [(String, [UInt8])] {
            let bytes = try mark + encoded(text, charset)
            for block in [64, 1 << 20] {
                let (found, reading) = try read(bytes, .automatic, block: block)
                #expect(found == Array(text.utf8) && reading.encoding == charset && reading.confidence == 100)
            }
            #expect(try read(bytes, .named(charset)).text == Array(text.utf8), "\(charset), named")
        }
    }

    @Test("Without a mark, UTF-8 is read as UTF-8, and other text in its most likely charset")
    func detection() throws {
        #expect(try read(Array("日本".utf8), .automatic).reading.encoding == "UTF-8")
        #expect(try read([], .automatic).reading.encoding == "UTF-8")
        #expect(try read(Array("a\u{0}b".utf8), .automatic).text == Array("a\u{0}b".utf8))
        for (charset, text) in [
            ("KOI8-R", "Широка страна моя родная, много в ней лесов, полей и рек.\n"),
            ("Shift_JIS", "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n"),
        ] {
            let whole = String(repeating: text, count: 20)
            let (found, reading) = try read(try encoded(whole, charset), .automatic)
            #expect(found == Array(whole.utf8) && reading.encoding == charset && reading.confidence! > 20)
        }
    }

    @Test("A bad byte in UTF-8 is an error, and does not change the charset")
    func mostlyUTF8() throws {
        let text = Array(String(repeating: "déjà vu, ça et là\n", count: 40).utf8)
        #expect {
            try read(text + [0xE9, 0x20] + text, .automatic)
        } throws: {
            guard case TextError.invalidUTF8(_, let offset) = $0 else { return false }
            return offset == text.count
        }
    }

    @Test("A guess that gives control characters, or does not decode, is rejected")
    func badGuesses() throws {
        let french = String(repeating: "Les élèves étaient déjà très fatigués à la fin de l'été.\n", count: 40)
        for charset in ["IBM850", "macintosh"] {
            #expect(throws: TextError.self, "\(charset)") { try read(try encoded(french, charset), .automatic) }
        }
        #expect(try read(try encoded(french, "ISO-8859-1"), .automatic).text == Array(french.utf8))
        let japanese = String(repeating: "吾輩は猫である。\n", count: 40)
        #expect(try read(try encoded(japanese, "ISO-2022-JP"), .automatic).text == Array(japanese.utf8))
    }

    @Test("Bytes that are not text are reported as such")
    func binary() throws {
        let bytes = (0..<4_000).map { UInt8(truncatingIfNeeded: $0 * $0 * 7 + $0 / 3) }
        #expect {
            try read(bytes, .automatic)
        } throws: {
            guard case TextError.binary = $0 else { return false }
            return true
        }
    }

    @Test(
        "Ill-formed bytes are an error with their offset, or are replaced or skipped, and counted",
        arguments: [1, 2, 7, 1 << 20])
    func invalid(block: Int) throws {
        for (charset, bytes, offset, replaced, skipped) in [
            ("UTF-8", Array("日".utf8) + [0xFF] + Array("b\n".utf8), 3, "日\u{FFFD}b\n", "日b\n"),
            ("Shift_JIS", [0x41, 0x82, 0x42, 0x0A].map { $0 == 0x42 ? 0x20 : $0 }, 1, "A\u{FFFD} \n", "A \n"),
            ("EUC-JP", [0x41, 0xA4], 1, "A\u{FFFD}", "A"),
            ("UTF-16LE", [0x41, 0, 0x00, 0xDC, 0x42, 0], 2, "A\u{FFFD}B", "AB"),
            ("UTF-16LE", [0x41, 0, 0x42], 2, "A\u{FFFD}", "A"),
        ] as [(String, [UInt8], Int, String, String)] {
            let error = #expect(throws: TextError.self) { try read(bytes, .named(charset), block: block) }
            switch error {
            case .invalidUTF8(_, let found), .invalidEncoding(_, _, let found): #expect(found == offset, "\(charset)")
            default: Issue.record("\(charset): \(String(describing: error))")
            }
            let (a, b) = (
                try read(bytes, .named(charset), block: block, policy: .replace),
                try read(bytes, .named(charset), block: block, policy: .skip)
            )
            #expect(String(decoding: a.text, as: UTF8.self).unicodeScalars.elementsEqual(replaced.unicodeScalars))
            #expect(b.text == Array(skipped.utf8), "\(charset)")
            #expect(a.reading.invalid == 1 && b.reading.invalid == 1)
        }
    }

    @Test("An unknown charset is an error, and every listed one is known")
    func names() throws {
        #expect(throws: TextError.unknownEncoding(name: "nosuch")) { try read([65], .named("nosuch")) }
        #expect(TextEncoding.available.count > 100)
        for name in TextEncoding.available { _ = try CharsetDecoder(name, policy: .error) }
    }

    @Test("Line ends become LF wherever blocks end, and counts are those before", arguments: [1, 2, 3, 1 << 20])
    func newlines(block: Int) throws {
        let text = "a\r\nb\rc\n\r\n\r\r\nd\r"
        let (found, reading) = try read(Array(text.utf8), .automatic, block: block, newlines: .lf)
        #expect(found == Array("a\nb\nc\n\n\n\nd\n".utf8) && reading.newlines == 6)
        var format = TextFormat()
        format.newlines = .lf
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")], format: format)
        let plain = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        #expect(corpus.counts == plain.counts)
    }

    @Test("A compressed file is read as its text, also with several members; a damaged one is an error")
    func gzip() throws {
        let text = String(repeating: "naïve 日本\n", count: 1_000)
        func compressed(_ text: String) throws -> [UInt8] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["gzip", "-c"]
            let (input, output) = (Pipe(), Pipe())
            (process.standardInput, process.standardOutput) = (input, output)
            try process.run()
            input.fileHandleForWriting.write(Data(text.utf8))
            try input.fileHandleForWriting.close()
            return [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        }
        let bytes = try compressed(text)
        #expect(try read(bytes + bytes, .automatic, name: "t.gz").text == Array((text + text).utf8))
        var damaged = bytes
        damaged[bytes.count - 5] ^= 1
        for bad in [Array(bytes.dropLast(9)), damaged] {
            let error = #expect(throws: TextError.self) { try read(bad, .automatic, name: "t.gz") }
            guard case .damaged = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }
}
