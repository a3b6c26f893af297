import Foundation

/// The tokens of a text, in memory that grows without being copied: the C library moves large blocks by their pages.
///
/// It is written by one thread and then only read.
final class TokenBuffer: @unchecked Sendable {
    private var base: UnsafeMutablePointer<UInt32>?
    private var capacity = 0
    private(set) var count = 0

    init() {}

    deinit { free(base) }

    func append(_ token: UInt32) {
        if count == capacity { grow(to: count + 1) }
        base![count] = token
        count += 1
    }

    /// Makes room for some more tokens and lets `fill` write them; it returns how many it wrote.
    @inline(__always)
    func append(atMost more: Int, _ fill: (UnsafeMutablePointer<UInt32>) -> Int) {
        if count + more > capacity { grow(to: count + more) }
        let added = fill(base! + count)
        precondition(added <= more, "\(added) tokens in the room of \(more)")
        count += added
    }

    private func grow(to needed: Int) {
        capacity = max(2 * capacity, needed, 1 << 10)
        let size = capacity * MemoryLayout<UInt32>.stride
        guard let memory = realloc(base, size) else { preconditionFailure("no memory for \(capacity) tokens") }
        base = memory.bindMemory(to: UInt32.self, capacity: capacity)
        // Of a large text, half the time would go into page faults. The advice may be refused.
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = memory.alignedUp(toMultipleOf: page)
        if size >= 1 << 22 { madvise(first, size - (first - memory), MADV_HUGEPAGE) }
    }

    subscript(position: Int) -> UInt32 {
        precondition(position >= 0 && position < count, "token \(position) of \(count)")
        return base![position]
    }

    /// Calls `body` with the tokens of a range.
    func withTokens<Result>(in range: Range<Int>, _ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens \(range) of \(count)")
        return body(UnsafeBufferPointer(start: base.map { $0 + range.lowerBound }, count: range.count))
    }
}
