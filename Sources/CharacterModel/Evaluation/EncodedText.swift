import Tokenization

/// A text as a model reads it: ids, the places where texts begin, and what unknown symbols cost to spell.
package struct EncodedText: Sendable {
    /// The id of each symbol.
    package private(set) var ids = TextIDs()
    /// Positions at which the state is fresh and the input is the boundary, in increasing order; the first is 0 unless there is no text.
    package private(set) var starts: [Int] = []
    /// The positions of unknown symbols and the nats that spelling them adds to -ln p(unknown), in increasing order.
    package private(set) var spellings: [(position: Int, nats: Double)] = []
    package let boundary: Int32
    package let unknown: Int32

    package init(vocabulary: Vocabulary) {
        boundary = Int32(vocabulary.boundary)
        unknown = Int32(vocabulary.unknown)
    }

    /// The tokens of a part of a corpus; each file (or record) in it starts afresh, and so does the part itself.
    package init(_ part: Range<Int>, of corpus: Corpus, vocabulary: Vocabulary) {
        let whole = corpus.records == nil ? corpus.files.map(\.tokens) : corpus.recordRanges
        self.init(whole.map { $0.clamped(to: part) }.filter { !$0.isEmpty }, of: corpus, vocabulary: vocabulary)
    }

    /// The tokens of parts of a corpus, each of which starts afresh. A record's end is the boundary.
    package init(_ parts: [Range<Int>], of corpus: Corpus, vocabulary: Vocabulary) {
        self.init(vocabulary: vocabulary)
        let ids = corpus.symbols.map { Int32(vocabulary.id(of: $0)) }
        let costs = corpus.symbols.map { vocabulary.spellingCost(of: $0) }
        starts.reserveCapacity(parts.count)
        let joins = zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound }
        if corpus.isInFile && joins, let first = parts.first, let last = parts.last {
            let range = first.lowerBound..<last.upperBound
            starts = parts.map { $0.lowerBound - range.lowerBound }
            self.ids = TextIDs(viewing: range, of: corpus, ids: ids, boundary: boundary)
            self.ids.forEachID { position, id in
                guard id == unknown else { return }
                spellings.append((position, costs[corpus[range.lowerBound + position]]))
            }
            return
        }
        self.ids.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for part in parts {
            starts.append(self.ids.count)
            for position in part {
                let symbol = corpus[position]
                if symbol == Corpus.endOfRecord {
                    append(boundary, spelling: 0)
                } else {
                    append(ids[symbol], spelling: costs[symbol])
                }
            }
        }
    }

    /// The same parts in an order that a generator draws (Fisher & Yates 1938); spellings are left out, for training.
    package func shuffled(using generator: inout some RandomNumberGenerator) -> EncodedText {
        var result = self
        result.spellings = []
        result.starts.removeAll(keepingCapacity: true)
        result.ids = TextIDs()
        result.ids.reserveCapacity(count)
        let ends = starts.dropFirst() + [count]
        for (start, end) in zip(starts, ends).shuffled(using: &generator) {
            result.starts.append(result.ids.count)
            for position in start..<end { result.ids.append(ids[position]) }
        }
        return result
    }

    private mutating func append(_ id: Int32, spelling: Double) {
        if id == unknown { spellings.append((ids.count, spelling)) }
        ids.append(id)
    }

    package var count: Int { ids.count }

    /// Starts afresh at exactly these positions.
    package mutating func restart(at positions: [Int]) { starts = positions }

    /// What spelling the unknown symbols of the text costs, in nats.
    package var spellingNats: Double { spellings.reduce(0) { $0 + $1.nats } }
}

/// One lane's way through a text.
package struct Lane: Sendable, Equatable {
    /// The position read at the first step; negative while a lane waits for the text to begin.
    package var origin: Int
    /// The positions that are predicted and counted.
    package var scored: Range<Int>
    /// Whether the lane's first scored symbol starts afresh, wherever the text has it.
    package var startsFresh: Bool

    package init(origin: Int, scored: Range<Int>, startsFresh: Bool) {
        self.origin = origin
        self.scored = scored
        self.startsFresh = startsFresh
    }
}

extension Shard {
    /// Sets the inputs, targets and resets of a window: `steps` steps from step `first` of the given lanes.
    ///
    /// - Parameter replaces: which ids are read and predicted as unknown.
    /// - Returns: how many symbols are predicted.
    package func fill(
        _ lanes: some Collection<Lane>, of text: EncodedText, first: Int, steps: Int,
        replaces: (Int32) -> Bool = { _ in false }
    ) -> Int {
        precondition(lanes.count == self.lanes, "\(lanes.count) lanes in a shard of \(self.lanes)")
        var predicted = 0
        resets.removeAll(keepingCapacity: true)
        for (index, lane) in lanes.enumerated() {
            var position = lane.origin + first
            var start = text.starts.partitioningIndex { $0 >= position }
            for step in 0..<steps {
                let at = step * self.lanes + index
                let isStart = start < text.starts.count && text.starts[start] == position
                if isStart { start += 1 }
                let isFresh = isStart || (lane.startsFresh && position == lane.scored.lowerBound)
                if isFresh { resets.append(Reset(step: step, lane: index)) }
                func id(_ position: Int) -> Int32 {
                    let id = text.ids[position]
                    return replaces(id) ? text.unknown : id
                }
                let hasInput = !isFresh && position > 0 && position <= text.count
                ids.view[0, at] = hasInput ? id(position - 1) : text.boundary
                targets.view[0, at] = lane.scored.contains(position) ? id(position) : -1
                if lane.scored.contains(position) { predicted += 1 }
                position += 1
            }
        }
        return predicted
    }
}

extension RandomAccessCollection {
    /// The first index whose element satisfies `belongs`, where all that do stand at the end.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Index {
        var (low, count) = (startIndex, self.count)
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if belongs(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
