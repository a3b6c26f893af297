import FoundationEssentials
import Glibc

/// A folder that caches the tokens of texts, so that a text is tokenized only once.
///
/// A file is named by the hash of its source bytes and of everything that determines how they are read. It is written
/// to a temporary file and renamed, so concurrent runs are safe. Loading makes a copy and checks its digest and every
/// token, so later changes to the file do no harm. Its parts: tokens, four bytes each; a description in JSON; the sizes
/// of the two; the SHA-256 of both.
struct TokenCache {
    private let folder: String
    private let key: String
    /// Whether the text's symbols are bytes.
    private let isOfBytes: Bool
    private var path: String { "\(folder)/\(key).tokens" }
    /// The hash of the source bytes.
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

    /// The cache entry for a text.
    ///
    /// - Parameter reading: everything apart from the bytes that determines the tokens.
    /// - Returns: nil for a text that can be read only once.
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
        isOfBytes = reading.first == TextUnit.byte.rawValue
        key = hash.finalize()
    }

    /// Stores the tokens and contents of a corpus.
    ///
    /// - Returns: why that failed; nil on success.
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
        // The lock marks the file as being written.
        flock(file, LOCK_EX)
        defer { close(file) }
        let digest = SHA256()
        var failure: Int32 = 0
        func write(_ bytes: UnsafeRawBufferPointer) {
            digest.update(bytes.bindMemory(to: UInt8.self))
            if failure == 0 { failure = writeAll(bytes, to: file) }
        }
        tokens.forEachBlock(in: 0..<tokens.count) { write(UnsafeRawBufferPointer($0)) }
        ([UInt8](json) + sizes).withUnsafeBytes { write($0) }
        if failure == 0 {
            failure = (Array(digest.finalize().utf8) + Self.magic).withUnsafeBytes { writeAll($0, to: file) }
        }
        if failure == 0 && (fchmod(file, 0o644) != 0 || fsync(file) != 0 || rename(name, path) != 0) { failure = errno }
        guard failure != 0 else { return nil }
        unlink(name)
        return String(cString: strerror(failure))
    }

    /// Removes files left by killed processes: those that are not locked.
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

    /// The cached tokens and contents of a text, if intact.
    ///
    /// - Throws: `TextError.noRoom` if there is no space for the tokens.
    func load(_ sources: [TextSource]) throws(TextError) -> (TokenBuffer, Corpus.Contents)? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size >= Self.endSize,
            let end = Self.read(file, at: Int(status.st_size) - Self.endSize, Self.endSize),
            end.suffix(8) == Self.magic[...]
        else { return nil }
        func size(_ at: Int) -> Int { (0..<8).reduce(0) { $0 | Int(end[at + $1]) << (8 * $1) } }
        let (count, length) = (size(0), size(8))
        let room = Int(status.st_size) - Self.endSize
        guard (0...room / 4).contains(count), length == room - 4 * count else { return nil }
        guard let json = Self.read(file, at: 4 * count, length),
            let description = try? JSONDecoder().decode(Description.self, from: Data(json)), description.key == key
        else { return nil }
        let digest = SHA256()
        guard let (tokens, largest) = try Self.tokens(of: file, count, digest) else { return nil }
        (json + end[..<16]).withUnsafeBufferPointer { digest.update($0) }
        guard Array(digest.finalize().utf8)[...] == end[16..<80],
            let contents = contents(description, count: count, sources), largest < contents.symbols.count
        else { return nil }
        return (tokens, contents)
    }

    /// A copy of the first tokens of a file, and the largest index of a symbol among them; nil if there are fewer.
    private static func tokens(
        of file: Int32, _ count: Int, _ digest: SHA256
    ) throws(TextError) -> (TokenBuffer, largest: Int)? {
        let tokens = TokenBuffer()
        var largest = -1
        var part = [UInt32](repeating: 0, count: 4_096)
        for position in stride(from: 0, to: count, by: part.count) {
            let length = min(part.count, count - position)
            let isThere = part.withUnsafeMutableBytes { bytes in
                let read = UnsafeMutableRawBufferPointer(rebasing: bytes[..<(4 * length)])
                guard readAll(read, from: file, at: 4 * position) else { return false }
                digest.update(UnsafeRawBufferPointer(read).bindMemory(to: UInt8.self))
                return true
            }
            guard isThere else { return nil }
            tokens.append(atMost: length) { room in
                for index in 0..<length {
                    room[index] = part[index]
                    let symbol = Int(part[index] & 0x7FFF_FFFF)
                    if symbol <= Corpus.lastSymbol { largest = max(largest, symbol) }
                }
                return length
            }
            try tokens.check()
        }
        try tokens.seal()
        return (tokens, largest)
    }

    /// Whether a cache file exists for this text.
    var exists: Bool { access(path, F_OK) == 0 }

    /// The contents given by a description, if it is consistent.
    private func contents(_ description: Description, count: Int, _ sources: [TextSource]) -> Corpus.Contents? {
        guard description.symbols.allSatisfy(isSymbol), description.files.count == sources.count,
            Self.isPlausible(description, count: count)
        else { return nil }
        var contents = Corpus.Contents(sha256: sha256)
        contents.symbols = description.symbols.map { Symbol(bytes: Array($0)) }
        guard Set(contents.symbols).count == contents.symbols.count else { return nil }
        var position = 0
        for (file, source) in zip(description.files, sources) {
            guard file.tokens.lowerBound == position else { return nil }
            position = file.tokens.upperBound
            contents.files.append(
                .init(name: source.name, tokens: file.tokens, counts: file.counts, reading: file.reading))
        }
        contents.surplus = Self.pairs(description.surplus)
        return position == count ? contents : nil
    }

    /// Whether the bytes are a possible symbol of the unit.
    private func isSymbol(_ bytes: Data) -> Bool {
        isOfBytes ? bytes.count == 1 : !bytes.isEmpty && String(validating: bytes, as: UTF8.self) != nil
    }

    private static func pairs(_ surplus: [Int]) -> [(token: Int, characters: Int)] {
        stride(from: 0, to: surplus.count - 1, by: 2).map { (surplus[$0], surplus[$0 + 1]) }
    }

    /// Whether counts are plausible for a text, so that their sums do not overflow.
    private static func isPlausible(_ description: Description, count: Int) -> Bool {
        func isSmall(_ counts: [Int]) -> Bool { counts.reduce(0.0) { $0 + Double($1.magnitude) } < 0x1p53 }
        let counts = description.files.flatMap { file in
            [file.counts.bytes, file.counts.scalars, file.counts.characters, file.counts.words]
        }
        let surplus = pairs(description.surplus)
        return isSmall(counts) && counts.allSatisfy { $0 >= 0 } && description.surplus.count.isMultiple(of: 2)
            && isSmall(surplus.map(\.characters)) && surplus.allSatisfy { (-1..<max(1, count)).contains($0.token) }
            && zip(surplus, surplus.dropFirst()).allSatisfy { $0.token <= $1.token }
    }

    private static func read(_ file: Int32, at offset: Int, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return bytes.withUnsafeMutableBytes { readAll($0, from: file, at: offset) } ? bytes : nil
    }
}
