/// A text as the sequence in which n-grams are counted: each stretch between two state resets is followed by an end that no
/// n-gram crosses, and may begin with the boundary.
struct NGramSequence {
    /// Ids; -1 for an end.
    private(set) var ids: [Int32] = []
    let boundary: Int32

    /// - Parameters:
    ///   - text: its unknown symbols, and those that a rule replaces, are read as `unknown`.
    ///   - range: the positions whose symbols are taken.
    ///   - marksBeginnings: whether a stretch begins with the boundary.
    init(_ text: EncodedText, _ range: Range<Int>? = nil, unknowns: UnknownRule, marksBeginnings: Bool = true) {
        boundary = text.boundary
        let range = range ?? 0..<text.count
        ids.reserveCapacity(range.count + 2)
        text.forEachTarget(in: range) { _, symbol, isFresh in
            if isFresh || ids.isEmpty { ids += isFresh && marksBeginnings ? [-1, text.boundary] : [-1] }
            let id = text.id(ofSymbol: symbol)
            ids.append(unknowns.replaces(id, epoch: 0) ? text.unknown : id)
        }
        ids.append(-1)
    }

    /// For each position, how many symbols, at most `limit`, follow before the next end, including its own.
    func lengths(upTo limit: Int) -> [UInt8] {
        var lengths = [UInt8](repeating: 0, count: ids.count)
        var left = 0
        for position in ids.indices.reversed() {
            left = ids[position] < 0 ? 0 : min(limit, left + 1)
            lengths[position] = UInt8(left)
        }
        return lengths
    }

    /// The positions of symbols, in the lexicographic order of what follows them up to `length` symbols; a shorter
    /// n-gram comes before its continuations. (A radix sort by the last symbol, then by the one before it, and so on.)
    func sortedPositions(by length: Int, lengths: [UInt8]) -> [UInt32] {
        var order = ids.indices.filter { ids[$0] >= 0 }.map { UInt32($0) }
        var other = order
        for offset in (0..<length).reversed() {
            sort(order, into: &other, by: offset, lengths)
            swap(&order, &other)
        }
        return order
    }

    /// Sorts positions by the symbol at an offset behind each; equal ones keep their order.
    private func sort(_ order: [UInt32], into sorted: inout [UInt32], by offset: Int, _ lengths: [UInt8]) {
        let buckets = Int(ids.max() ?? 0) + 2
        var starts = [Int](repeating: 0, count: buckets + 1)
        order.withUnsafeBufferPointer { order in
            sorted.withUnsafeMutableBufferPointer { sorted in
                ids.withUnsafeBufferPointer { ids in
                    lengths.withUnsafeBufferPointer { lengths in
                        starts.withUnsafeMutableBufferPointer { starts in
                            func key(_ position: UInt32) -> Int {
                                let at = Int(position)
                                return offset < Int(lengths[at]) ? Int(ids[at + offset]) + 1 : 0
                            }
                            for position in order { starts[key(position) + 1] += 1 }
                            for bucket in 1...buckets { starts[bucket] += starts[bucket - 1] }
                            for position in order {
                                let bucket = key(position)
                                sorted[starts[bucket]] = position
                                starts[bucket] += 1
                            }
                        }
                    }
                }
            }
        }
    }
}
