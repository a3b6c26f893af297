import Foundation
import Synchronization

/// A folder that keeps the tokens of texts, so that a text is cut into symbols once.
///
/// A file is named by the hash of the bytes it was made from and of everything that decides how they are read. It is written
/// beside its place and renamed, so two runs at once do no harm; it is read only after its digest and every token in it have
/// been checked. Its parts: tokens, four bytes each; a description in JSON; the sizes of the two; the SHA-256 of both.
struct TokenCache {
    private let folder: String
    private let path: String
    /// What was hashed.
    let sha256: String

    /// How a text found its tokens.
    enum Use: Sendable {
        case absent, read, damaged
    }

    private struct Description: Codable {
        var symbols: [Data]
        var files: [File]
        var surplus: [Int]

        struct File: Codable {
            var tokens: Range<Int>
            var counts: TextCounts
            var reading: TextReading
        }
    }

    /// Two threads of a process never write one file.
    private static let buffers = Atomic<Int>(0)
    private static let magic = Array("escriba1".utf8)
    /// Two sizes of eight bytes, a digest of 64, the magic.
    private static let endSize = 8 + 8 + 64 + 8

    /// The place of the tokens of a text.
    ///
    /// - Parameter reading: everything beside the bytes that decides the tokens.
    /// - Returns: nil for a text that can be read once only.
    init?(_ folder: String, for sources: [TextSource], reading: [String]) throws(TextError) {
        guard !sources.contains(.standardInput) else { return nil }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .noRoom(folder: folder, reason: "the folder cannot be made")
        }
        let content = SHA256()
        var sizes: [String] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        for source in sources {
            let bytes = try ByteSource(source)
            var size = 0
            while true {
                let got = try block.withUnsafeMutableBufferPointer { buffer throws(TextError) in
                    try bytes.read(into: .init(buffer))
                }
                guard got > 0 else { break }
                block.withUnsafeBufferPointer { content.update(UnsafeBufferPointer(rebasing: $0[..<got])) }
                size += got
            }
            sizes.append(String(size))
        }
        sha256 = content.finalize()
        let versions = UnicodeVersions.current
        let key = (["tokens 1", versions.icu, versions.unicode, sha256] + sizes + reading).map(\.debugDescription)
        let hash = SHA256()
        Array(key.joined(separator: " ").utf8).withUnsafeBufferPointer { hash.update($0) }
        self.folder = folder
        path = "\(folder)/\(hash.finalize()).tokens"
    }

    /// A buffer whose tokens go into the cache.
    func makeBuffer() -> TokenBuffer {
        sweepTemporaryFiles(in: folder) { $0.contains(".tokens") }
        let number = Self.buffers.add(1, ordering: .relaxed).newValue
        return TokenBuffer(writing: "\(path)\(number).\(getpid()).tmp")
    }

    /// Keeps what a corpus was found to be.
    func store(_ tokens: TokenBuffer, _ corpus: Corpus.Contents) throws(TextError) {
        let description = Description(
            symbols: corpus.symbols.map { Data($0.bytes) },
            files: corpus.files.map { .init(tokens: $0.tokens, counts: $0.counts, reading: $0.reading) },
            surplus: corpus.surplus.flatMap { [$0.token, $0.characters] })
        guard let json = try? JSONEncoder().encode(description) else { preconditionFailure("no JSON of a description") }
        let sizes = [tokens.count, json.count].flatMap { size in (0..<8).map { UInt8(size >> (8 * $0) & 0xFF) } }
        try tokens.commit([UInt8](json) + sizes, ending: { Array($0.utf8) + Self.magic }, to: path)
    }

    /// What was kept of a text, if it is whole.
    func load(_ sources: [TextSource]) -> (TokenBuffer, Corpus.Contents)? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard file >= 0 else { return nil }
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size >= Self.endSize,
            let end = read(file, at: Int(status.st_size) - Self.endSize, Self.endSize), end.suffix(8) == Self.magic[...]
        else {
            close(file)
            return nil
        }
        func size(_ at: Int) -> Int { (0..<8).reduce(0) { $0 | Int(end[at + $1]) << (8 * $1) } }
        let (count, length) = (size(0), size(8))
        let room = Int(status.st_size) - Self.endSize
        guard (0...room / 4).contains(count), length == room - 4 * count, let json = read(file, at: 4 * count, length),
            let description = try? JSONDecoder().decode(Description.self, from: Data(json)),
            let contents = Self.contents(description, count: count, sources, sha256)
        else {
            close(file)
            return nil
        }
        // From here on the buffer owns the file.
        guard let tokens = TokenBuffer(reading: file, count: count) else { return nil }
        let digest = SHA256()
        let symbols = UInt32(contents.symbols.count)
        var areKnown = true
        tokens.forEachBlock(in: 0..<count) { block in
            block.withMemoryRebound(to: UInt8.self) { digest.update($0) }
            areKnown = areKnown && block.allSatisfy { $0 & 0x7FFF_FFFF < symbols || $0 & 0x7FFF_FFFF == 0x7FFF_FFFF }
        }
        (json + end[..<16]).withUnsafeBufferPointer { digest.update($0) }
        guard areKnown, Array(digest.finalize().utf8)[...] == end[16..<80] else { return nil }
        return (tokens, contents)
    }

    /// Whether a file stands where this text's tokens belong.
    var exists: Bool { access(path, F_OK) == 0 }

    /// What a description says, if it hangs together.
    private static func contents(
        _ description: Description, count: Int, _ sources: [TextSource], _ sha256: String
    ) -> Corpus.Contents? {
        var contents = Corpus.Contents(sha256: sha256)
        contents.symbols = description.symbols.map { Symbol(bytes: Array($0)) }
        guard Set(contents.symbols).count == contents.symbols.count, description.files.count == sources.count,
            description.surplus.count.isMultiple(of: 2)
        else { return nil }
        var position = 0
        for (file, source) in zip(description.files, sources) {
            guard file.tokens.lowerBound == position else { return nil }
            position = file.tokens.upperBound
            contents.files.append(
                .init(name: source.name, tokens: file.tokens, counts: file.counts, reading: file.reading))
        }
        contents.surplus = stride(from: 0, to: description.surplus.count, by: 2).map {
            (description.surplus[$0], description.surplus[$0 + 1])
        }
        return position == count ? contents : nil
    }

    private func read(_ file: Int32, at offset: Int, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress! + done, count - done, off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return nil }
            done += got
        }
        return bytes
    }
}

/// Removes what killed processes left in a folder: files `NAME.PROCESS.tmp` whose process is gone.
///
/// - Parameter belongs: which names are ours.
package func sweepTemporaryFiles(in folder: String, of belongs: (_ name: String) -> Bool) {
    for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where file.hasSuffix(".tmp") {
        let stem = file.dropLast(4)
        guard let dot = stem.lastIndex(of: "."), let process = pid_t(stem[stem.index(after: dot)...]), process > 0,
            belongs(String(stem[..<dot])), kill(process, 0) != 0 && errno == ESRCH
        else { continue }
        unlink(folder + "/" + file)
    }
}
