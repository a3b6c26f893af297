import Foundation
import Testing

@testable import Tokenization

/// The Unicode Consortium's own tests, as Debian's `unicode-data` has them, of the version that ICU implements.
@Suite("Unicode conformance")
struct ConformanceTests {
    private static let folder = "/usr/share/unicode"

    /// The lines of a test file without comments; `.bz2` files are decompressed by `bzip2`.
    private func lines(_ path: String) throws -> [Substring] {
        let full = Self.folder + "/" + path
        var data: Data
        if path.hasSuffix(".bz2") {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["bzip2", "-dc", full]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "cannot read \(full): `make test` installs it")
        } else {
            data = try #require(FileManager.default.contents(atPath: full), "no \(full): `make test` installs it")
        }
        let text = String(decoding: data, as: UTF8.self)
        let version = UnicodeVersions.current.unicode
        #expect(text.prefix(200).contains("-\(version)."), "\(path) is not of Unicode \(version)")
        return text.split(separator: "\n").map { $0.prefix { $0 != "#" } }.filter { !$0.isEmpty }
    }

    private func text(_ hex: some StringProtocol) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        for word in hex.split(separator: " ") { scalars.append(Unicode.Scalar(UInt32(word, radix: 16)!)!) }
        return Array(String(scalars).utf8)
    }

    @Test("GraphemeBreakTest")
    func graphemeBreaks() throws {
        let tokenizer = try Tokenizer(unit: .grapheme, normalization: .none)
        var count = 0
        for line in try lines("auxiliary/GraphemeBreakTest.txt") {
            let words = line.split { $0 == " " || $0 == "\t" }
            // Surrogates stand in no text.
            if words.contains(where: { ("D800"..."DFFF").contains($0) && $0.count == 4 }) { continue }
            let clusters = words.split(separator: "÷").map { $0.filter { $0 != "×" }.joined(separator: " ") }
            let whole = clusters.flatMap { text($0) }
            #expect(try tokenizer.symbols(of: whole).map(\.bytes) == clusters.map { text($0) }, "\(line)")
            count += 1
        }
        #expect(count > 500)
    }

    @Test("NormalizationTest")
    func normalization() throws {
        let forms: [(Normalization, [(Int, [Int])])] = [
            (.nfc, [(1, [0, 1, 2]), (3, [3, 4])]), (.nfd, [(2, [0, 1, 2]), (4, [3, 4])]),
            (.nfkc, [(3, [0, 1, 2, 3, 4])]), (.nfkd, [(4, [0, 1, 2, 3, 4])]),
        ]
        let tokenizers = try forms.map { try Tokenizer(unit: .scalar, normalization: $0.0) }
        var listed: Set<UInt32> = []
        var (count, part) = (0, "")
        func normal(_ tokenizer: Tokenizer, _ bytes: [UInt8]) throws -> [UInt8] {
            try tokenizer.symbols(of: bytes).flatMap(\.bytes)
        }
        for line in try lines("NormalizationTest.txt.bz2") {
            if line.hasPrefix("@") {
                part = line.trimmingCharacters(in: .whitespaces)
                continue
            }
            let columns = line.split(separator: ";").prefix(5).map { text($0) }
            if part == "@Part1" {
                listed.insert(String(decoding: columns[0], as: UTF8.self).unicodeScalars.first!.value)
            }
            for (form, tokenizer) in zip(forms, tokenizers) {
                for (goal, sources) in form.1 {
                    for source in sources {
                        let result = try normal(tokenizer, columns[source])
                        if result != columns[goal] { Issue.record("\(form.0) of column \(source + 1) of \(line)") }
                    }
                }
            }
            count += 1
        }
        #expect(count > 18_000)
        // What Part 1 does not list is its own normal form.
        for value in 0...0x10FFFF as ClosedRange<UInt32> where !listed.contains(value) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            for tokenizer in tokenizers where try normal(tokenizer, bytes) != bytes {
                Issue.record("\(tokenizer.normalization) changes \(String(value, radix: 16))")
            }
        }
    }
}
