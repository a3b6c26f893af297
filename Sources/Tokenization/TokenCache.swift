import Foundation

/// A folder that keeps the tokens of texts, so that a text is cut into symbols once.
///
/// A file is named by the hash of the bytes it was made from and of everything that decides how they are read. It is written
/// beside its place and renamed, so two runs at once do no harm; it is read only after its digest and every token in it have
/// been checked. Its parts: tokens, four bytes each; a description in JSON; the sizes of the two; the SHA-256 of both.
struct TokenCache {
    private let folder: String
    private let key: String
    private var path: String { "\(folder)/\(key).tokens" }
    /// What was hashed.
    let sha256: String

    private struct Description: Codable {
        var key: String
        var symbols: [Data]
        var files: [File]
        var surplus: [Int]

        struct File: Codable {
            var tokens: Range<Int>
            var counts: TextCounts
            var reading: TextReading
        }
    }

    private static let magic = Array("escriba1".utf8)
    /// Two sizes of eight bytes, a digest of 64, the magic.
    private static let endSize = 8 + 8 + 64 + 8

    /// The place of the tokens of a text.
    ///
    /// - Parameter reading: everything beside the bytes that decides the tokens.
    /// - Returns: nil for a text that can be read once only.
    init?(_ folder: String, for sources: [TextSource], reading: [String]) throws(TextError) {
        guard sources.allSatisfy(\.canBeReadTwice) else { return nil }
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
        let parts = (["tokens 2", versions.icu, versions.unicode, sha256] + sizes + reading).map(\.debugDescription)
        let hash = SHA256()
        Array(parts.joined(separator: " ").utf8).withUnsafeBufferPointer { hash.update($0) }
        self.folder = folder
        key = hash.finalize()
    }

    /// Keeps what a corpus was found to be.
    ///
    /// - Returns: why that could not be done; nil where it was.
    func store(_ tokens: TokenBuffer, _ corpus: Corpus.Contents) -> String? {
        let description = Description(
            key: key, symbols: corpus.symbols.map { Data($0.bytes) },
            files: corpus.files.map { .init(tokens: $0.tokens, counts: $0.counts, reading: $0.reading) },
            surplus: corpus.surplus.flatMap { [$0.token, $0.characters] })
        guard let json = try? JSONEncoder().encode(description) else { return "its description cannot be written" }
        let sizes = [tokens.count, json.count].flatMap { size in (0..<8).map { UInt8(size >> (8 * $0) & 0xFF) } }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        sweepTokens()
        var name = Array("\(path).XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else { return String(cString: strerror(errno)) }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        // The lock says that somebody writes it.
        flock(file, LOCK_EX)
        defer { close(file) }
        let digest = SHA256()
        var failure: Int32 = 0
        func write(_ bytes: UnsafeRawBufferPointer) {
            digest.update(bytes.bindMemory(to: UInt8.self))
            var done = 0
            while done < bytes.count && failure == 0 {
                let got = Foundation.write(file, bytes.baseAddress! + done, bytes.count - done)
                if got >= 0 { done += got } else if errno != EINTR { failure = errno }
            }
        }
        tokens.forEachBlock(in: 0..<tokens.count) { write(UnsafeRawBufferPointer($0)) }
        ([UInt8](json) + sizes).withUnsafeBytes { write($0) }
        (Array(digest.finalize().utf8) + Self.magic).withUnsafeBytes { bytes in
            if failure == 0 && Foundation.write(file, bytes.baseAddress, bytes.count) != bytes.count { failure = errno }
        }
        if failure == 0 && (fchmod(file, 0o644) != 0 || fsync(file) != 0 || rename(name, path) != 0) { failure = errno }
        guard failure != 0 else { return nil }
        unlink(name)
        return String(cString: strerror(failure))
    }

    /// Removes what killed processes left: files that nobody has locked.
    private func sweepTokens() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let suffix = name.firstRange(of: ".tokens.")?.upperBound, name[suffix...].utf8.count == 6 else {
                continue
            }
            let file = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unlink("\(folder)/\(name)") }
            close(file)
        }
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
            description.key == key, let contents = Self.contents(description, count: count, sources, sha256)
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
            areKnown =
                areKnown
                && block.allSatisfy { token in
                    let index = token & 0x7FFF_FFFF
                    return index < symbols || index > UInt32(Corpus.lastSymbol)
                }
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
