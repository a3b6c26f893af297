import RealModule

/// The probabilities that a sampling strategy derives from a model's logits, for the symbols it keeps.
package struct Distribution: Sendable, Equatable {
    /// Sorted by probability if a filter needed that, else in the order of their ids.
    package private(set) var candidates: [(id: Int, probability: Double)] = []

    package init() {}

    package init(
        logits: [Float], strategy: SamplingStrategy, penalty: RepetitionPenalty = .none, recent: Set<Int> = [],
        biases: [Int: Double] = [:], banned: Set<Int> = [], surpriseLimit: Double? = nil
    ) {
        set(
            logits[...], strategy: strategy, penalty: penalty, recent: recent, biases: biases, banned: banned,
            surpriseLimit: surpriseLimit)
    }

    /// - Parameters:
    ///   - logits: one for each symbol that may be drawn; ids count from 0.
    ///   - recent: ids that the repetition penalty applies to.
    ///   - biases: added to the logits first.
    ///   - banned: ids that are excluded; all symbols may be.
    ///   - surpriseLimit: in bits; more surprising symbols are dropped, except the likeliest symbol.
    package mutating func set(
        _ logits: ArraySlice<Float>, strategy: SamplingStrategy, penalty: RepetitionPenalty = .none,
        recent: Set<Int> = [], biases: [Int: Double] = [:], banned: Set<Int> = [], surpriseLimit: Double? = nil
    ) {
        // At first, `probability` holds scores.
        candidates.removeAll(keepingCapacity: true)
        for logit in logits { candidates.append((candidates.count, Double(logit))) }
        for (id, bias) in biases where id < candidates.count { candidates[id].probability += bias }
        for id in recent where penalty != .none && id < candidates.count {
            let score = candidates[id].probability
            candidates[id].probability = score > 0 ? score / penalty.value : score * penalty.value
        }
        if !banned.isEmpty { candidates.removeAll { banned.contains($0.id) } }
        guard !candidates.isEmpty else { return }
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
            if let p = filter.topP, p < 1 { keep(p) }
            if let share = filter.minP {
                let least = share * candidates.reduce(0) { max($0, $1.probability) }
                candidates.removeAll { $0.probability < least }
                normalize()
            }
            if let mass = filter.typical, mass < 1 { keepTypical(mass) }
            if let surpriseLimit {
                let least = min(.exp2(-surpriseLimit), candidates.reduce(0) { max($0, $1.probability) })
                candidates.removeAll { $0.probability < least }
                normalize()
            }
        }
    }

    /// Keeps the smallest set of symbols with this much probability whose surprise is closest to the entropy.
    private mutating func keepTypical(_ mass: Double) {
        candidates.removeAll { $0.probability == 0 }
        let entropy = candidates.reduce(0) { $0 - $1.probability * .log($1.probability) }
        func distance(_ probability: Double) -> Double { abs(-.log(probability) - entropy) }
        candidates.sort { (distance($0.probability), $0.id) < (distance($1.probability), $1.id) }
        keep(mass)
    }

    /// Keeps the first candidates until they have this much probability.
    private mutating func keep(_ mass: Double) {
        var sum = 0.0
        let needed = candidates.firstIndex { candidate in
            sum += candidate.probability
            return sum >= mass
        }
        if let needed { candidates.removeLast(candidates.count - 1 - needed) }
        normalize()
    }

    private mutating func normalize() {
        let sum = candidates.reduce(0) { $0 + $1.probability }
        for index in candidates.indices { candidates[index].probability /= sum }
    }

    /// The probability of a symbol; 0 if it was not kept.
    package func probability(of id: Int) -> Double { candidates.first { $0.id == id }?.probability ?? 0 }

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
