import FoundationEssentials
import Glibc
import Synchronization

/// The tokens of a text, in memory or, if there are many, in an unnamed file.
///
/// Unchecked sendable: one thread writes it, then it is sealed and only read; the read counter is atomic. The file is
/// in `TMPDIR` or `/var/tmp` and disappears with the process. It has no name, so no one else can truncate it while it
/// is mapped.
final class TokenBuffer: @unchecked Sendable {
    typealias Block = UnsafeMutablePointer<UInt32>

    /// All blocks if in memory; only the one being filled if there is a file.
    private var blocks: [Block] = []
    private(set) var count = 0
    private var file: Int32 = -1
    /// The number of tokens in the file, and a write error.
    private var written = 0
    private var failure: Int32 = 0
    private var mapping: UnsafePointer<UInt32>?
    /// The approximate number of pages that reading has loaded into memory.
    private let pagesRead = Atomic<Int>(0)
    /// The maximum number of blocks in memory.
    private let limit: Int

    private static let shift = 20
    private static var blockSize: Int { 1 << shift }
    private static var blockBytes: Int { blockSize * MemoryLayout<UInt32>.stride }

    /// - Parameter limit: the maximum number of four-megabyte blocks in memory.
    init(limit: Int = 32) { self.limit = limit }

    deinit {
        if let mapping { munmap(UnsafeMutableRawPointer(mutating: mapping), count * MemoryLayout<UInt32>.stride) }
        if file >= 0 { close(file) }
        for block in blocks { free(block) }
    }

    /// Whether the tokens are in a file.
    var isInFile: Bool { file >= 0 }

    // MARK: Writing

    func append(_ token: UInt32) {
        append(atMost: 1) { room in
            room[0] = token
            return 1
        }
    }

    /// Lets `fill` write some more tokens; it returns how many it wrote.
    ///
    /// - Parameter more: at most 4,096.
    @inline(__always)
    func append(atMost more: Int, _ fill: (Block) -> Int) {
        precondition(more <= 4_096, "\(more) tokens at once")
        let offset = (count - written) & (Self.blockSize - 1)
        let room = Self.blockSize - offset
        if more <= room && offset > 0 {
            count += fill(blocks[blocks.count - 1] + offset)
        } else {
            appendAcross(more, fill)
        }
    }

    /// Appends where a block begins or may end.
    private func appendAcross(_ more: Int, _ fill: (Block) -> Int) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: more) { buffer in
            let added = fill(buffer.baseAddress!)
            for index in 0..<added {
                let offset = (count - written) & (Self.blockSize - 1)
                if offset == 0 && count > written || blocks.isEmpty { makeRoom() }
                blocks[blocks.count - 1][(count - written) & (Self.blockSize - 1)] = buffer[index]
                count += 1
            }
        }
    }

    /// Adds a block. Once there are too many, or memory runs out, all are written to the file and the last one is
    /// reused.
    private func makeRoom() {
        if file < 0 && blocks.count < limit, let block = Self.makeBlock() {
            blocks.append(block)
            return
        }
        precondition(!blocks.isEmpty, "no memory for a single block of tokens")
        if file < 0 { open() }
        for block in blocks { write(block, Self.blockSize) }
        for block in blocks.dropLast() { free(block) }
        blocks = [blocks[blocks.count - 1]]
        written = count
    }

    /// nil if out of memory; the tokens are then written to the file.
    private static func makeBlock() -> Block? {
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 1 << 21, blockBytes) == 0, let memory else { return nil }
        // Otherwise page faults would take half the time of reading a large text. The system may ignore the advice.
        madvise(memory, blockBytes, MADV_HUGEPAGE)
        return memory.bindMemory(to: UInt32.self, capacity: blockSize)
    }

    /// Where a file of tokens is created.
    private static var folder: String { ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp" }

    private func open() {
        var path = Array((Self.folder + "/escriba-XXXXXX").utf8CString)
        file = mkstemp(&path)
        if file >= 0 { unlink(path) } else { failure = errno }
    }

    private func write(_ block: Block, _ tokens: Int) {
        guard failure == 0 else { return }
        failure = writeAll(UnsafeRawBufferPointer(start: block, count: tokens * MemoryLayout<UInt32>.stride), to: file)
    }

    /// - Throws: `TextError.noRoom` if the file could not be created or written so far.
    func check() throws(TextError) {
        guard failure == 0 else {
            throw .noRoom(folder: Self.folder, reason: String(cString: strerror(failure)))
        }
    }

    /// Finishes writing.
    ///
    /// - Throws: `TextError.noRoom` if the file could not be created or written.
    func seal() throws(TextError) {
        guard file >= 0 || failure != 0 else { return }
        if count > written { write(blocks[0], count - written) }
        for block in blocks { free(block) }
        blocks = []
        if failure == 0 && count > 0 && !map() { failure = errno }
        try check()
    }

    private func map() -> Bool {
        let memory = mmap(nil, count * MemoryLayout<UInt32>.stride, PROT_READ, MAP_SHARED, file, 0)
        guard let memory, memory != MAP_FAILED else { return false }
        mapping = UnsafePointer(memory.bindMemory(to: UInt32.self, capacity: count))
        return true
    }

    // MARK: Reading

    subscript(position: Int) -> UInt32 {
        precondition(position >= 0 && position < count, "token \(position) of \(count)")
        if let mapping { return mapping[position] }
        return blocks[position >> Self.shift][position & (Self.blockSize - 1)]
    }

    /// Calls `body` with the tokens of a range, in order, a part at a time.
    func forEachBlock(in range: Range<Int>, _ body: (UnsafeBufferPointer<UInt32>) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens \(range) of \(count)")
        var position = range.lowerBound
        while position < range.upperBound {
            let offset = position & (Self.blockSize - 1)
            let length = min(Self.blockSize - offset, range.upperBound - position)
            let start = mapping.map { $0 + position } ?? UnsafePointer(blocks[position >> Self.shift] + offset)
            body(UnsafeBufferPointer(start: start, count: length))
            position += length
            if mapping != nil { noteReading(of: length) }
        }
    }

    /// Releases pages read from the file after about 64 MB, so that they do not count as this process's memory.
    ///
    /// The system maps 16 pages at a time, even for a few tokens.
    private func noteReading(of tokens: Int) {
        let pages = 16 + tokens / 1_024
        guard pagesRead.add(pages, ordering: .relaxed).newValue > 1 << 14 else { return }
        pagesRead.store(0, ordering: .relaxed)
        madvise(
            UnsafeMutableRawPointer(mutating: mapping), count * MemoryLayout<UInt32>.stride, MADV_DONTNEED)
    }
}
