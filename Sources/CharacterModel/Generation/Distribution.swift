import RealModule

/// What a strategy makes of a model's logits: the probabilities of the symbols it keeps, likeliest first.
package struct Distribution: Sendable, Equatable {
    package private(set) var candidates: [(id: Int, probability: Double)]

    /// - Parameters:
    ///   - logits: for each symbol that may be drawn; ids are indices.
    ///   - recent: ids that the repetition penalty falls on.
    package init(logits: [Float], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, recent: Set<Int> = [])
    {
        var scores = logits.map(Double.init)
        for id in recent where penalty != .none && id < scores.count {
            scores[id] = scores[id] > 0 ? scores[id] / penalty.value : scores[id] * penalty.value
        }
        var order = Array(scores.indices)
        order.sort { (scores[$0], $1) > (scores[$1], $0) }
        switch strategy {
        case .greedy: candidates = [(order[0], 1)]
        case .sampled(let temperature, let filter):
            if let k = filter.topK { order.removeLast(max(0, order.count - k)) }
            let highest = scores[order[0]]
            candidates = order.map { ($0, .exp((scores[$0] - highest) / temperature.value)) }
            normalize()
            if let p = filter.topP, p < 1 {
                var sum = 0.0
                let needed = candidates.firstIndex { candidate in
                    sum += candidate.probability
                    return sum >= p
                }
                if let needed { candidates.removeLast(candidates.count - 1 - needed) }
                normalize()
            }
            if let share = filter.minP {
                let least = share * candidates[0].probability
                candidates.removeAll { $0.probability < least }
                normalize()
            }
        }
    }

    private mutating func normalize() {
        let sum = candidates.reduce(0) { $0 + $1.probability }
        for index in candidates.indices { candidates[index].probability /= sum }
    }

    /// Draws a symbol.
    package func draw(using generator: inout some RandomNumberGenerator) -> Int {
        var left = Double(generator.next() >> 11) * 0x1p-53
        for candidate in candidates {
            left -= candidate.probability
            if left < 0 { return candidate.id }
        }
        return candidates.last { $0.probability > 0 }?.id ?? candidates[0].id
    }

    package static func == (a: Distribution, b: Distribution) -> Bool {
        a.candidates.elementsEqual(b.candidates) { $0 == $1 }
    }
}
