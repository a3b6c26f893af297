/// The part of a training text that a network does not see, so that a gate can learn from it how much to believe the network
/// and the counts: blocks spread over the whole text, since its end may be unlike the rest. Records stay whole.
struct HeldPart {
    /// In order.
    let ranges: [Range<Int>]

    /// Its share of the text, at most, and its greatest size.
    static let (share, limit) = (0.02, 20_000)
    private static let (blocks, smallestBlock) = (24, 64)

    init(of text: EncodedText) {
        let size = min(Int(Self.share * Double(text.count)), Self.limit)
        let blocks = min(Self.blocks, size / Self.smallestBlock)
        guard blocks > 0 else {
            ranges = []
            return
        }
        let (length, distance) = (size / blocks, text.count / blocks)
        var found: [Range<Int>] = []
        // A record that is longer than two blocks together would be too much.
        func add(_ start: Int, _ end: Int) {
            if end - start <= 2 * length + 2 && end < text.count { found.append(start..<end) }
        }
        var start: Int?
        text.forEachTarget { position, _, isFresh in
            guard isFresh || !text.hasRecords else { return }
            if let first = start, position - first >= length {
                add(first, position)
                start = nil
            }
            if start == nil && found.count < blocks && position >= found.count * distance + (distance - length) / 2 {
                start = position
            }
        }
        ranges = found
    }
}
