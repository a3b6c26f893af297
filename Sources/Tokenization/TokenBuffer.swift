import Foundation

/// The tokens of a text, in blocks of memory that stay where they are.
///
/// It is written by one thread and then only read.
final class TokenBuffer: @unchecked Sendable {
    private var blocks: [UnsafeMutablePointer<UInt32>] = []
    private(set) var count = 0
    private static let shift = 20
    private static var blockSize: Int { 1 << shift }

    init() {}

    deinit { for block in blocks { free(block) } }

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
    func append(atMost more: Int, _ fill: (UnsafeMutablePointer<UInt32>) -> Int) {
        precondition(more <= 4_096, "\(more) tokens at once")
        let (index, offset) = (count >> Self.shift, count & (Self.blockSize - 1))
        if index == blocks.count { blocks.append(Self.makeBlock()) }
        let room = Self.blockSize - offset
        if more <= room {
            count += fill(blocks[index] + offset)
        } else {
            // The tokens may reach across the end of a block.
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: more) { buffer in
                let added = fill(buffer.baseAddress!)
                let head = min(added, room)
                (blocks[index] + offset).update(from: buffer.baseAddress!, count: head)
                if added > head {
                    blocks.append(Self.makeBlock())
                    blocks[index + 1].update(from: buffer.baseAddress! + head, count: added - head)
                }
                count += added
            }
        }
    }

    private static func makeBlock() -> UnsafeMutablePointer<UInt32> {
        let size = blockSize * MemoryLayout<UInt32>.stride
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 1 << 21, size) == 0, let memory else {
            preconditionFailure("no memory for \(blockSize) tokens")
        }
        // Half the time of reading a large text would go into page faults. The advice may be refused.
        madvise(memory, size, MADV_HUGEPAGE)
        return memory.bindMemory(to: UInt32.self, capacity: blockSize)
    }

    subscript(position: Int) -> UInt32 {
        precondition(position >= 0 && position < count, "token \(position) of \(count)")
        return blocks[position >> Self.shift][position & (Self.blockSize - 1)]
    }

    /// Calls `body` with the tokens of a range, in order, a block's part at a time.
    func forEachBlock(in range: Range<Int>, _ body: (UnsafeBufferPointer<UInt32>) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens \(range) of \(count)")
        var position = range.lowerBound
        while position < range.upperBound {
            let offset = position & (Self.blockSize - 1)
            let length = min(Self.blockSize - offset, range.upperBound - position)
            body(UnsafeBufferPointer(start: blocks[position >> Self.shift] + offset, count: length))
            position += length
        }
    }
}
