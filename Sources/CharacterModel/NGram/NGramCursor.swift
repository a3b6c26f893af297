/// A place in a text, as n-grams see it: the last symbols, each as the end of the n-grams that are known.
package struct NGramCursor: Sendable {
    /// The known n-grams that end at the last symbol, by length from 0, each as an index into its level; those of the
    /// greatest length are no context for anything and not kept.
    private(set) var path: [Int] = [0]
    /// For how many symbols in a row the longest n-gram that ends with the symbol is known.
    private(set) var familiar = 0

    /// How many symbols were read since the text began.
    private(set) var age = 0

    package init() {}

    /// Begins a new text.
    mutating func reset() { self = NGramCursor() }

    /// Reads a symbol.
    mutating func read(_ id: Int32, in counts: some NGramTable) {
        var next = [0]
        next.reserveCapacity(counts.order)
        var isKnown = false
        for length in 1...path.count {
            guard let index = counts.child(of: path[length - 1], length: length - 1, symbol: id) else { break }
            if length == counts.order { isKnown = true } else { next.append(index) }
        }
        familiar = isKnown ? familiar + 1 : 0
        age += 1
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
    func predict(from counts: some NGramTable, into probabilities: UnsafeMutableBufferPointer<Float>) -> Context {
        let shape = counts.vocabulary
        precondition(probabilities.count == shape.size, "\(probabilities.count) symbols of \(shape.size)")
        probabilities.update(repeating: 0)
        var weight: Float = 1
        var context: Context?
        for length in (0..<path.count).reversed() {
            var (total, followers): (Float, Int) = (0, 0)
            counts.forEachChild(of: path[length], length: length) { _, count in
                total += Float(count)
                followers += 1
            }
            guard total > 0 else { continue }
            let share = weight / total
            var left: Float = 0
            counts.forEachChild(of: path[length], length: length) { symbol, count in
                // All of what was dropped is for shorter contexts.
                let discount =
                    symbol == shape.rest
                    ? Float(count)
                    : count == 0 ? 0 : counts.discounts[3 * length + min(Int(count), 3) - 1]
                left += discount
                if symbol < shape.size { probabilities[symbol] += (Float(count) - discount) * share }
            }
            weight = left * share
            if context == nil { context = Context(length: length, followers: followers, total: total) }
        }
        let uniform = weight / Float(shape.predictable)
        for symbol in probabilities.indices { probabilities[symbol] += uniform }
        if let excluded = shape.excluded { probabilities[excluded] = 0 }
        return context ?? Context()
    }
}
