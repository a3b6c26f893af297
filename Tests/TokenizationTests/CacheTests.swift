import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite("The cache of tokens")
struct CacheTests {
    private let folder: TemporaryFolder
    private let cache: String
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        cache = folder.file("cache")
        path = try folder.write("Zażółć e\u{301}\r\nzwei\n\ndrei \u{FB01}\n", to: "t.txt")
    }

    private func read(
        _ paths: [String]? = nil, normalization: Normalization = .nfkc, format: TextFormat = TextFormat(),
        records: RecordSeparator? = .line
    ) throws -> Corpus {
        try Corpus(
            reading: (paths ?? [path]).map { .file(path: $0) }, normalization: normalization, format: format,
            records: records, cache: cache)
    }

    private var kept: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: cache).sorted() } }

    private func expectEqual(_ a: Corpus, _ b: Corpus, characters: Bool = true) {
        #expect(a.count == b.count && (0..<a.count).allSatisfy { a[$0] == b[$0] })
        #expect(a.symbols == b.symbols && a.files == b.files && a.counts == b.counts && a.sha256 == b.sha256)
        for end in 0...a.count where characters { #expect(a.characters(in: 0..<end) == b.characters(in: 0..<end)) }
    }

    @Test("A text from the cache is the text that was read")
    func hit() throws {
        let other = try folder.write("", to: "empty.txt")
        for records in [nil, RecordSeparator.line] {
            let plain = try Corpus(
                reading: [.file(path: path), .file(path: other), .file(path: path)], normalization: .nfkc,
                records: records)
            let written = try read([path, other, path], records: records)
            let cached = try read([path, other, path], records: records)
            #expect(written.caching == .written && cached.caching == .read)
            expectEqual(written, plain)
            expectEqual(cached, plain)
        }
    }

    @Test("Everything that affects the tokens is part of the cache key; the file name is not")
    func keys() throws {
        func caching(_ corpus: Corpus) -> Corpus.Caching? { corpus.caching }
        #expect(try read().caching == .written)
        let moved = try folder.write("Zażółć e\u{301}\r\nzwei\n\ndrei \u{FB01}\n", to: "moved.txt")
        let again = try read([moved])
        #expect(again.caching == .read && again.files.map(\.name) == [moved])
        #expect(try read(normalization: .nfc).caching == .written)
        #expect(try read(records: .blankLine).caching == .written)
        #expect(try read(records: .text("\n")).caching == .written)
        #expect(try read([path, path]).caching == .written)
        var format = TextFormat()
        format.newlines = .lf
        #expect(try read(format: format).caching == .written)
        format.onInvalid = .skip
        #expect(try read(format: format).caching == .written)
        _ = try folder.write("something else", to: "moved.txt")
        let changed = try read([moved])
        #expect(changed.caching == .written && changed.count == 15)
    }

    @Test("The same bytes split into different files are different tokens")
    func boundaries() throws {
        let (a, b) = (try folder.write("ab", to: "a"), try folder.write("c", to: "b"))
        let (c, d) = (try folder.write("a", to: "c"), try folder.write("bc", to: "d"))
        #expect(try read([a, b]).caching == .written)
        #expect(try read([c, d]).files.map(\.tokens.count) == [2, 3])
    }

    @Test("A damaged file is rebuilt, whichever byte is damaged and wherever it is truncated")
    func damage() throws {
        _ = try read()
        let good = try Corpus(reading: [.file(path: path)], normalization: .nfkc, records: .line)
        let file = try #require(try kept.first)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: cache + "/" + file)))
        func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: cache + "/" + file)) }
        for place in bytes.indices where place % 7 == 0 || place + 100 > bytes.count {
            var damaged = bytes
            damaged[place] ^= 1 << UInt8(place % 8)
            try put(damaged)
            let corpus = try read()
            #expect(corpus.caching == .rewritten, "byte \(place) of \(bytes.count)")
            expectEqual(corpus, good)
        }
        for length in [0, 1, 87, 88, 89, bytes.count / 2, bytes.count - 1] {
            try put(Array(bytes.prefix(length)))
            #expect(try read().caching == .rewritten, "\(length) of \(bytes.count) bytes")
        }
        try put(bytes + [0])
        #expect(try read().caching == .rewritten)
        #expect(try read().caching == .read)
    }

    /// Changes the file in the cache, and gives it the digest of what it holds then.
    private func tamper(_ change: (inout [UInt8]) throws -> Void) throws {
        let file = cache + "/" + (try #require(try kept.first))
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        try change(&bytes)
        let digest = SHA256()
        bytes.dropLast(72).withUnsafeBufferPointer { digest.update($0) }
        bytes.replaceSubrange(bytes.count - 72..<bytes.count - 8, with: Array(digest.finalize().utf8))
        try Data(bytes).write(to: URL(fileURLWithPath: file))
    }

    @Test("A token without a symbol counts as damage, even if the digest matches")
    func unknownToken() throws {
        _ = try read()
        try tamper { $0[1] = 0x7F }
        #expect(try read().caching == .rewritten)
    }

    @Test("An empty symbol counts as damage, even if the digest matches")
    func emptySymbol() throws {
        _ = try read()
        try tamper { bytes in
            // The first symbol, in base 64, becomes an empty string; the size of the description shrinks with it.
            let before = Array("\"symbols\":[\"Wg==\"".utf8)
            let start = try #require(bytes.firstRange(of: before)?.lowerBound)
            bytes.replaceSubrange(start..<start + before.count, with: Array("\"symbols\":[\"\"".utf8))
            bytes[bytes.count - 80] -= 4
        }
        #expect(try read().caching == .rewritten)
    }

    @Test("Counts that overflow, and symbols of another unit, count as damage, even if the digest matches")
    func implausible() throws {
        func change(_ text: String, to other: String) throws {
            try tamper { bytes in
                let start = try #require(bytes.firstRange(of: Array(text.utf8))?.lowerBound)
                bytes.replaceSubrange(start..<start + text.utf8.count, with: Array(other.utf8))
                var length = (0..<8).reduce(0) { $0 | Int(bytes[bytes.count - 80 + $1]) << (8 * $1) }
                length += other.utf8.count - text.utf8.count
                for index in 0..<8 { bytes[bytes.count - 80 + index] = UInt8(length >> (8 * index) & 0xFF) }
            }
        }
        let huge = Int.max
        for (text, other) in [
            ("\"surplus\":[", "\"surplus\":[0,\(huge),1,\(huge),"), ("\"surplus\":[", "\"surplus\":[99999,1,"),
            ("\"surplus\":[", "\"surplus\":[7,"), ("\"words\":", "\"words\":-"),
            ("\"words\":", "\"words\":9\(huge >> 8)"),
            ("\"symbols\":[\"Wg==\"", "\"symbols\":[\"/w==\""),
        ] {
            _ = try read()
            try change(text, to: other)
            let corpus = try read()
            #expect(corpus.caching == .rewritten, "\(other)")
            #expect(corpus.characters(in: 0..<corpus.count) > 0)
        }
        let bytes = try Corpus(reading: [.file(path: path)], unit: .byte, cache: folder.file("bytes"))
        let again = try Corpus(reading: [.file(path: path)], unit: .byte, cache: folder.file("bytes"))
        #expect(bytes.caching == .written && again.caching == .read)
    }

    @Test("A file that another program truncates while its tokens are in use does no harm")
    func cutShortInUse() throws {
        // More than a page of tokens, so that they do not lie in one that is there anyway.
        _ = try folder.write(String(repeating: "many words. ", count: 4_000), to: "t.txt")
        _ = try read()
        let corpus = try read()
        #expect(corpus.caching == .read)
        #expect(truncate(cache + "/" + (try #require(try kept.first)), 0) == 0)
        let plain = try Corpus(reading: [.file(path: path)], normalization: .nfkc, records: .line)
        expectEqual(corpus, plain, characters: false)
        #expect(corpus.characters(in: 0..<corpus.count) == plain.characters(in: 0..<plain.count))
    }

    @Test("A short write is an error")
    func shortWrites() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
        defer { for end in ends { close(end) } }
        // More than a pipe takes.
        let bytes = [UInt8](repeating: 7, count: 1 << 21)
        #expect(bytes.withUnsafeBytes { writeAll($0, to: ends[1]) } == EAGAIN)
    }

    @Test("A text that is truncated between hashing and reading is not cached")
    func changesWhileRead() throws {
        let path = path
        let long = String(repeating: "many words. ", count: 200_000)
        _ = try folder.write(long, to: "t.txt")
        // The first report of progress comes after the hash.
        var isCut = false
        let corpus = try Corpus(
            reading: [.file(path: path)], cache: cache,
            progress: { _ in
                if !isCut { truncate(path, 1_900_000) }
                isCut = true
            })
        #expect(isCut && corpus.count < long.utf8.count && corpus.caching == nil)
        #expect(!FileManager.default.fileExists(atPath: cache))
    }

    @Test("Files of killed runs are removed, files being written are not; nothing else is left")
    func sweep() throws {
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let names = ["ab.tokens.dead01", "ab.tokens.living", "ab.tokens", "notes.txt"]
        for name in names { try Data().write(to: URL(fileURLWithPath: "\(cache)/\(name)")) }
        let living = open("\(cache)/ab.tokens.living", O_RDONLY)
        defer { close(living) }
        #expect(flock(living, LOCK_EX) == 0)
        #expect(try read().caching == .written)
        #expect(try kept.count == 4 && names.dropFirst().allSatisfy { try kept.contains($0) })
    }

    @Test("A text that cannot be cached is still read, and leaves nothing behind")
    func failures() throws {
        try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: folder.file("bad")))
        #expect(throws: TextError.self) { try read([folder.file("bad")]) }
        #expect(!FileManager.default.fileExists(atPath: cache))
        let corpus = try Corpus(reading: [.file(path: path)], cache: path + "/x")
        #expect(corpus.caching == .failed("Not a directory") && corpus.count == 22)
    }

    @Test("A text that can only be read once is read once")
    func pipes() throws {
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let writer = Thread { try? Data("abc".utf8).write(to: URL(fileURLWithPath: pipe)) }
        writer.start()
        let corpus = try read([pipe])
        #expect(corpus.counts.bytes == 3 && corpus.caching == nil)
    }

    @Test("Tokens stored under another text's name are not used for it")
    func renamed() throws {
        _ = try read()
        let first = cache + "/" + (try #require(try kept.first))
        let other = try folder.write("Zażółć e\u{301}\r\nzwei\n\ndrei \u{FB02}\n", to: "other.txt")
        _ = try read([other])
        let second = cache + "/" + (try #require(try kept.first { cache + "/" + $0 != first }))
        try FileManager.default.removeItem(atPath: second)
        try FileManager.default.copyItem(atPath: first, toPath: second)
        #expect(try read([other]).caching == .rewritten)
    }

    @Test("Two readers at once do no harm")
    func concurrent() throws {
        let (cache, path) = (cache, path)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20 { _ = try? Corpus(reading: [.file(path: path)], cache: cache) }
        }
        #expect(try Corpus(reading: [.file(path: path)], cache: cache).caching == .read)
    }
}
