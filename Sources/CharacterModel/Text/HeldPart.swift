/// The part of a training text that a network does not see, so that a gate can learn from it how much to believe the network
/// and the counts.
///
/// Blocks from all over the text, since its end may be unlike the rest. Of a text with records: some records, each with all that are
/// equal to it, since nothing can be learned about the unknown from what stays known.
struct HeldPart {
    /// In order.
    let ranges: [Range<Int>]

    /// Its share of the text, at most, and its greatest size.
    private static let (share, limit) = (0.02, 20_000)
    private static let (blocks, smallestBlock) = (24, 64)

    init(of text: EncodedText, vocabularySize: Int) {
        let most = min(Self.limit, max(Self.blocks * Self.smallestBlock, GateFitting.elements / vocabularySize))
        let size = min(Int(Self.share * Double(text.count)), most)
        let blocks = min(Self.blocks, size / Self.smallestBlock)
        guard blocks > 0 else {
            ranges = []
            return
        }
        guard !text.hasRecords else {
            ranges = Self.records(of: text, size: size)
            return
        }
        let (length, distance) = (size / blocks, text.count / blocks)
        ranges = (0..<blocks).map { block in
            let start = block * distance + (distance - length) / 2
            return start..<start + length
        }
    }

    /// Records in an order that depends on their content alone, until they are enough.
    private static func records(of text: EncodedText, size: Int) -> [Range<Int>] {
        var records: [UInt64: [Range<Int>]] = [:]
        var (start, hash) = (0, RecordHash())
        text.forEachTarget { position, symbol, isFresh in
            if isFresh && position > start {
                records[hash.value, default: []].append(start..<position)
                (start, hash) = (position, RecordHash())
            }
            withUnsafeBytes(of: text.id(ofSymbol: symbol)) { hash.append(Array($0)) }
        }
        records[hash.value, default: []].append(start..<text.count)
        var (found, left): ([Range<Int>], Int) = ([], size)
        for (_, equal) in records.sorted(by: { $0.key < $1.key }) {
            let length = equal.reduce(0) { $0 + $1.count }
            guard length <= left else { continue }
            found += equal
            left -= length
        }
        return found.sorted { $0.lowerBound < $1.lowerBound }
    }
}
