/// A place in a text, as n-grams see it: the last symbols, each as the end of the n-grams that are known.
package struct NGramCursor: Sendable {
    /// The known n-grams that end at the last symbol, by length from 0, each as an index into its level; those of the
    /// greatest length are no context for anything and not kept.
    private(set) var path: [Int] = [0]
    /// For how many symbols in a row the longest n-gram that ends with the symbol is known.
    private(set) var familiar = 0

    package init() {}

    /// Begins a new text.
    mutating func reset() { self = NGramCursor() }

    /// Reads a symbol.
    mutating func read(_ id: Int32, in counts: NGramCounts) {
        var next = [0]
        next.reserveCapacity(counts.order)
        var isKnown = false
        for length in 1...path.count {
            guard let index = counts.child(of: path[length - 1], length: length - 1, symbol: id) else { break }
            if length == counts.order { isKnown = true } else { next.append(index) }
        }
        familiar = isKnown ? familiar + 1 : 0
        path = next
    }

    /// What is known about a context.
    struct Context {
        /// The number of symbols that were seen with something behind them.
        var length = 0
        /// How many different symbols were seen behind them.
        var followers = 1
        /// How often something was.
        var total: Float = 0
    }

    /// Sets the probabilities of all V symbols that can come.
    func predict(from counts: NGramCounts, into probabilities: UnsafeMutableBufferPointer<Float>) -> Context {
        let shape = counts.vocabulary
        precondition(probabilities.count == shape.size, "\(probabilities.count) symbols of \(shape.size)")
        probabilities.update(repeating: 0)
        let mask = Int32(1) << shape.bits - 1
        var weight: Float = 1
        var context: Context?
        for length in (0..<path.count).reversed() {
            let children = counts.levels[length].children
            let range = Int(children[path[length]])..<Int(children[path[length] + 1])
            guard !range.isEmpty else { continue }
            counts.levels[length + 1].words.withUnsafeBufferPointer { words in
                var total: Float = 0
                for index in range { total += Float(words[index] >> shape.bits) }
                guard total > 0 else { return }
                let share = weight / total
                var left: Float = 0
                for index in range {
                    let (symbol, count) = (Int(words[index] & mask), words[index] >> shape.bits)
                    // All of what was dropped is for shorter contexts.
                    let discount =
                        symbol == shape.rest
                        ? Float(count)
                        : count == 0 ? 0 : counts.discounts[3 * length + min(Int(count), 3) - 1]
                    left += discount
                    if symbol < shape.size { probabilities[symbol] += (Float(count) - discount) * share }
                }
                weight = left * share
                if context == nil { context = Context(length: length, followers: range.count, total: total) }
            }
        }
        let uniform = weight / Float(shape.predictable)
        for symbol in probabilities.indices { probabilities[symbol] += uniform }
        if let excluded = shape.excluded { probabilities[excluded] = 0 }
        return context ?? Context()
    }
}
