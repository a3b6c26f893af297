import RealModule

/// What a strategy makes of a model's logits: the probabilities of the symbols it keeps.
package struct Distribution: Sendable, Equatable {
    /// Likeliest first where a filter had to know, else in the order of their ids.
    package private(set) var candidates: [(id: Int, probability: Double)] = []

    package init() {}

    package init(logits: [Float], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, recent: Set<Int> = [])
    {
        set(logits[...], strategy: strategy, penalty: penalty, recent: recent)
    }

    /// - Parameters:
    ///   - logits: for each symbol that may be drawn; ids count from 0.
    ///   - recent: ids that the repetition penalty falls on.
    package mutating func set(
        _ logits: ArraySlice<Float>, strategy: SamplingStrategy, penalty: RepetitionPenalty, recent: Set<Int>
    ) {
        // At first, scores stand where probabilities will.
        candidates.removeAll(keepingCapacity: true)
        for logit in logits { candidates.append((candidates.count, Double(logit))) }
        for id in recent where penalty != .none && id < candidates.count {
            let score = candidates[id].probability
            candidates[id].probability = score > 0 ? score / penalty.value : score * penalty.value
        }
        var best = 0
        for index in candidates.indices where candidates[index].probability > candidates[best].probability {
            best = index
        }
        switch strategy {
        case .greedy: candidates = [(candidates[best].id, 1)]
        case .sampled(let temperature, let filter):
            let highest = candidates[best].probability
            for index in candidates.indices {
                candidates[index].probability = .exp((candidates[index].probability - highest) / temperature.value)
            }
            if filter.topK != nil || filter.topP != nil {
                candidates.sort { ($0.probability, $1.id) > ($1.probability, $0.id) }
            }
            if let k = filter.topK { candidates.removeLast(max(0, candidates.count - k)) }
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
                let least = share * candidates.reduce(0) { max($0, $1.probability) }
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
