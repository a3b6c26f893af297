import Concurrency
import RealModule
import RecurrentNetwork
import Synchronization
import Tokenization

/// Learns a gate from text that neither the network nor the counts have seen: the weights of greatest likelihood, by Newton's method,
/// which finds the only maximum in a few steps.
package struct GateFitting {
    /// How certain the usual weights are: the inverse of their variance.
    private static let certainty = 30.0
    /// Positions that are summed together.
    private static let block = 512

    /// The places times the vocabulary that are held in memory, at most.
    static let elements = 1 << 22

    /// The places to learn from.
    private let pairs: [ExpertPair]
    private let targets: [Int]

    /// - Parameters:
    ///   - network: has not been trained on the ranges.
    ///   - counts: counted without the ranges.
    ///   - text: what the ranges are part of.
    package init(
        _ network: Network<Float>, _ counts: NGramCounts, on text: EncodedText, _ ranges: [Range<Int>],
        using workers: Workers
    ) {
        let found = Mutex([[(ExpertPair, Int)]](repeating: [], count: ranges.count))
        workers.forEach(ranges.count) { index in
            let pairs = Self.pairs(network, counts, on: text, ranges[index])
            found.withLock { $0[index] = pairs }
        }
        let all = found.withLock { $0.flatMap(\.self) }
        (pairs, targets) = (all.map(\.0), all.map(\.1))
    }

    /// The symbols before a range that the network reads first.
    private static let warmup = 256

    private static func pairs(
        _ network: Network<Float>, _ counts: NGramCounts, on text: EncodedText, _ range: Range<Int>
    ) -> [(ExpertPair, Int)] {
        var result: [(ExpertPair, Int)] = []
        // A record begins with a fresh state.
        let origin = text.hasRecords ? range.lowerBound : max(0, range.lowerBound - warmup)
        let lane = [Lane(origin: origin, scored: range, startsFresh: false)]
        let shard = Shard<Float>(network.model, lanes: 1, steps: 64, learns: false)
        var cursor = NGramCursor()
        for first in stride(from: 0, to: range.upperBound - origin, by: shard.capacity) {
            let steps = min(shard.capacity, range.upperBound - origin - first)
            _ = shard.input.fill(lane, of: text, first: first, steps: steps)
            shard.forward(network, steps: steps)
            for step in 0..<steps {
                if shard.input.resets.view[0, step] != 0 { cursor.reset() }
                cursor.read(shard.input.ids.view[0, step], in: counts)
                let target = Int(shard.input.targets.view[0, step])
                guard target >= 0, target != counts.vocabulary.excluded else { continue }
                var pair = ExpertPair(size: counts.vocabulary.size)
                pair.set(logits: shard.logits.view.rows(step..<step + 1).base, cursor: cursor, of: counts)
                result.append((pair, target))
            }
            shard.advance(steps: steps)
        }
        return result
    }

    /// The most likely gate, given the usual one.
    package func fit(using workers: Workers) -> MixtureGate {
        var gate = MixtureGate.usual
        guard !pairs.isEmpty else { return gate }
        var best = sums(gate, using: workers)
        for _ in 0..<20 {
            guard let step = best.newtonStep() else { break }
            // The whole step, or the longest half of a half of it that is an improvement.
            var scale = 1.0
            var next = best
            var candidate = gate
            while scale > 1e-3 {
                candidate = MixtureGate(weights: zip(gate.weights, step).map { $0 - scale * $1 })
                next = sums(candidate, using: workers)
                if next.nats < best.nats { break }
                scale /= 2
            }
            let gain = best.nats - next.nats
            guard gain > 0 else { break }
            (gate, best) = (candidate, next)
            if gain < 1e-5 * Double(pairs.count) { break }
        }
        // As a checkpoint stores them.
        return MixtureGate(weights: gate.weights.map { Double(Float($0)) })
    }

    /// What `fit` makes least: the nats of all places and of the prior.
    package func cost(of gate: MixtureGate, using workers: Workers) -> Double { sums(gate, using: workers).nats }

    /// The objective with its derivatives: the nats of all places and of the prior.
    private func sums(_ gate: MixtureGate, using workers: Workers) -> Sums {
        let blocks = stride(from: 0, to: pairs.count, by: Self.block).map { $0..<min($0 + Self.block, pairs.count) }
        let parts = Mutex([Sums](repeating: Sums(), count: blocks.count))
        workers.forEach(blocks.count) { index in
            var sums = Sums()
            for at in blocks[index] { sums.add(pairs[at], target: targets[at], gate) }
            parts.withLock { $0[index] = sums }
        }
        var total = Sums()
        for part in parts.withLock({ $0 }) { total.add(part) }
        total.addPrior(gate, around: .usual, certainty: Self.certainty)
        return total
    }
}

/// -ln of a likelihood as a function of a gate's weights: its value, gradient and Hessian.
private struct Sums: Sendable {
    private static let count = 2 * MixtureGate.features
    var nats = 0.0
    var gradient = [Double](repeating: 0, count: Sums.count)
    var hessian = [Double](repeating: 0, count: Sums.count * Sums.count)

    mutating func add(_ pair: borrowing ExpertPair, target: Int, _ gate: MixtureGate) {
        let exponents = gate.exponents(pair.features)
        let moments = pair.moments(Float(exponents.network), Float(exponents.counts))
        let (a, b) = (Double(pair.network[target]), Double(pair.counts[target]))
        nats += moments.logSum - exponents.network * a - exponents.counts * b
        let slopes = (moments.means.0 - a, moments.means.1 - b)
        let size = MixtureGate.features
        for i in 0..<size {
            let x = pair.features[i]
            gradient[i] += slopes.0 * x
            gradient[size + i] += slopes.1 * x
            for j in 0...i {
                let xy = x * pair.features[j]
                hessian[i * Self.count + j] += moments.variances.0 * xy
                hessian[(size + i) * Self.count + j] += moments.variances.1 * xy
                hessian[(size + i) * Self.count + size + j] += moments.variances.2 * xy
                if i != j { hessian[(size + j) * Self.count + i] += moments.variances.1 * xy }
            }
        }
    }

    mutating func add(_ other: Sums) {
        nats += other.nats
        for index in gradient.indices { gradient[index] += other.gradient[index] }
        for index in hessian.indices { hessian[index] += other.hessian[index] }
    }

    /// A Gaussian around a gate.
    mutating func addPrior(_ gate: MixtureGate, around middle: MixtureGate, certainty: Double) {
        for index in gradient.indices {
            let distance = gate.weights[index] - middle.weights[index]
            nats += certainty / 2 * distance * distance
            gradient[index] += certainty * distance
            hessian[index * Self.count + index] += certainty
        }
    }

    /// The Hessian's inverse times the gradient, by Cholesky's decomposition of the lower half; nil if the sums are not finite.
    func newtonStep() -> [Double]? {
        let n = Self.count
        var (l, x) = (hessian, gradient)
        for j in 0..<n {
            for k in 0..<j { l[j * n + j] -= l[j * n + k] * l[j * n + k] }
            guard l[j * n + j] > 0, l[j * n + j].isFinite else { return nil }
            l[j * n + j].formSquareRoot()
            for i in j + 1..<n {
                for k in 0..<j { l[i * n + j] -= l[i * n + k] * l[j * n + k] }
                l[i * n + j] /= l[j * n + j]
            }
        }
        for i in 0..<n {
            for k in 0..<i { x[i] -= l[i * n + k] * x[k] }
            x[i] /= l[i * n + i]
        }
        for i in (0..<n).reversed() {
            for k in i + 1..<max(n, i + 1) { x[i] -= l[k * n + i] * x[k] }
            x[i] /= l[i * n + i]
        }
        return x
    }
}

extension Double {
    fileprivate mutating func formSquareRoot() { self = squareRoot() }
}

extension ExpertPair {
    /// Of the mixture with some exponents: the logarithm of its sum; the means of ln p of the network and of the counts; their
    /// variances (the first, the covariance, the second).
    fileprivate func moments(_ a: Float, _ b: Float) -> (
        logSum: Double, means: (Double, Double), variances: (Double, Double, Double)
    ) {
        var highest = -Float.infinity
        for index in network.indices where network[index] > Self.impossible {
            highest = max(highest, a * network[index] + b * counts[index])
        }
        var (sum, x, y, xx, xy, yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for index in network.indices where network[index] > Self.impossible {
            let p = Double(Float.exp(a * network[index] + b * counts[index] - highest))
            let (u, v) = (Double(network[index]), Double(counts[index]))
            sum += p
            x += p * u
            y += p * v
            xx += p * u * u
            xy += p * u * v
            yy += p * v * v
        }
        let (mean, other) = (x / sum, y / sum)
        return (
            Double(highest) + .log(sum), (mean, other),
            (xx / sum - mean * mean, xy / sum - mean * other, yy / sum - other * other)
        )
    }
}
