/// Tries that stay within a bound of memory.
extension NGramTrie {
    /// The size of the stored form, in bytes.
    var storedBytes: Int { levels.reduce(0) { $0 + 4 * ($1.count + $1.children.count) } }

    /// Without the rarest of the longest n-grams, so that the stored form has at most this many bytes, as far as
    /// n-grams of one symbol allow it.
    ///
    /// What is dropped is counted in one child of its context, `rest`, so that all probabilities keep their sums.
    func pruned(toStoredBytes limit: Int) -> NGramTrie {
        var trie = self
        var severity = 1
        while trie.storedBytes > limit && severity < 1 << 30 {
            trie = pruned { length in UInt32(max(0, severity - (order - length))) }
            severity += max(1, severity / 2)
        }
        return trie
    }

    /// Without the n-grams that occur at most as often as a threshold for their length says. It must not fall with the length,
    /// so that an n-gram is dropped with all that begins or ends with it.
    private func pruned(_ threshold: (_ length: Int) -> UInt32) -> NGramTrie {
        var result = NGramTrie(like: self)
        result.levels[0] = levels[0]
        result.levels[0].children = [0]
        var kept = [0]
        for length in 1...order {
            let (level, least) = (levels[length], length == 1 ? 0 : threshold(length))
            var (next, places) = (Level(), [Int]())
            for parent in kept {
                var dropped: (occurrences: UInt32, continuations: UInt32) = (0, 0)
                let first = next.count
                for child in parent < 0 ? 0..<0 : children(of: parent, length: length - 1) {
                    if level.symbols[child] != rest && (level.occurrences[child] > least || length == 1) {
                        next.append(level, child)
                        places.append(child)
                    } else {
                        dropped.occurrences += level.occurrences[child]
                        dropped.continuations += level.continuations[child]
                    }
                }
                if next.count > first && dropped.occurrences > 0 {
                    next.append(symbol: rest, dropped.occurrences, dropped.continuations)
                    places.append(-1)
                }
                result.levels[length - 1].children.append(UInt32(next.count))
            }
            // An n-gram that was dropped has no children.
            if length < order { next.children = [0] }
            result.levels[length] = next
            kept = places
        }
        return result
    }

    /// The n-grams of two texts together.
    func merged(with other: NGramTrie) -> NGramTrie {
        precondition(rest == other.rest && order == other.order, "tries of different kinds")
        var result = NGramTrie(like: self)
        result.levels[0] = levels[0]
        result.levels[0].children = [0]
        // The n-grams of a level, by their places in both; -1 where one has it not.
        var pairs = [(0, 0)]
        for length in 1...order {
            let (a, b) = (levels[length], other.levels[length])
            var (next, found) = (Level(), [(Int, Int)]())
            for (left, right) in pairs {
                var x = left < 0 ? 0..<0 : children(of: left, length: length - 1)
                var y = right < 0 ? 0..<0 : other.children(of: right, length: length - 1)
                while !x.isEmpty || !y.isEmpty {
                    let isLeft = y.isEmpty || (!x.isEmpty && a.symbols[x.lowerBound] <= b.symbols[y.lowerBound])
                    let isRight = x.isEmpty || (!y.isEmpty && b.symbols[y.lowerBound] <= a.symbols[x.lowerBound])
                    let (i, j) = (isLeft ? x.removeFirst() : -1, isRight ? y.removeFirst() : -1)
                    next.append(
                        symbol: isLeft ? a.symbols[i] : b.symbols[j],
                        (isLeft ? a.occurrences[i] : 0) + (isRight ? b.occurrences[j] : 0), 0)
                    found.append((i, j))
                }
                result.levels[length - 1].children.append(UInt32(next.count))
            }
            if length < order { next.children = [0] }
            result.levels[length] = next
            pairs = found
        }
        result.countContinuations()
        return result
    }
}

extension NGramTrie.Level {
    fileprivate mutating func append(_ other: NGramTrie.Level, _ index: Int) {
        append(symbol: other.symbols[index], other.occurrences[index], other.continuations[index])
    }

    fileprivate mutating func append(symbol: Int32, _ occurrences: UInt32, _ continuations: UInt32) {
        symbols.append(symbol)
        self.occurrences.append(occurrences)
        self.continuations.append(continuations)
    }
}
