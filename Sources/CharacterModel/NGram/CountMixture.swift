import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// N-grams that are mixed with a network, and the gate that mixes them.
package struct CountMixture: Sendable, Equatable {
    package let counts: NGramCounts
    package var gate: MixtureGate

    package init(counts: NGramCounts, gate: MixtureGate) {
        (self.counts, self.gate) = (counts, gate)
    }
}

/// Mixes n-grams into the logits of some lanes, window by window.
final class CountMixer: @unchecked Sendable {
    private let mixture: CountMixture
    private var cursors: [NGramCursor]
    private var pair: ExpertPair
    /// -ln p of the symbols of the last window under the network and under the counts, by row; 0 where none is scored.
    private(set) var networkNats: [Double] = []
    private(set) var countsNats: [Double] = []

    /// - Parameter lanes: how many begin, all at the beginning of a text or with nothing known before them.
    init(_ mixture: CountMixture, lanes: Int) {
        self.mixture = mixture
        cursors = [NGramCursor](repeating: NGramCursor(), count: lanes)
        pair = ExpertPair(size: mixture.counts.vocabulary.size)
    }

    /// One that goes on from the same place.
    func copy() -> CountMixer {
        let copy = CountMixer(mixture, lanes: cursors.count)
        copy.cursors = cursors
        return copy
    }

    /// Replaces the logits of the steps that are scored by those of the mixture.
    func mix<Scalar: KernelScalar>(into shard: Shard<Scalar>, steps: Int) {
        guard let logits = shard.logits.view as? MatrixView<Float> else {
            preconditionFailure("only networks of Float are mixed with counts")
        }
        let (input, rows) = (shard.input, steps * shard.lanes)
        (networkNats, countsNats) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: rows))
        for row in 0..<rows {
            let lane = row % shard.lanes
            if input.resets.view[0, row] != 0 { cursors[lane].reset() }
            cursors[lane].read(input.ids.view[0, row], in: mixture.counts)
            let target = Int(input.targets.view[0, row])
            guard target >= 0 else { continue }
            let place = logits.rows(row..<row + 1).base
            let logit = place[target]
            mix(into: place, at: lane)
            networkNats[row] = Double(pair.shift - logit)
            countsNats[row] = -Double(pair.counts[target])
        }
    }

    /// Replaces one row of logits.
    private func mix(into logits: UnsafeMutablePointer<Float>, at lane: Int) {
        pair.set(logits: logits, cursor: cursors[lane], of: mixture.counts)
        let (a, b) = mixture.gate.exponents(pair.features)
        pair.mix(Float(a), Float(b), into: logits)
    }

    // MARK: One lane, symbol by symbol

    /// Begins a new text.
    func reset() { for lane in cursors.indices { cursors[lane].reset() } }

    /// Reads a symbol in a lane.
    func read(_ id: Int32, lane: Int = 0) { cursors[lane].read(id, in: mixture.counts) }

    /// The length of the run that the last symbols, as far as the counts tell, copy from the counted text; 0 if it is shorter
    /// than the longest n-grams.
    var copied: Int { cursors[0].familiar > 0 ? cursors[0].familiar + mixture.counts.order - 1 : 0 }

    /// Replaces the logits of the next symbol in the first lane.
    func mix(into logits: inout [Float]) {
        logits.withUnsafeMutableBufferPointer { mix(into: $0.baseAddress!, at: 0) }
    }
}

extension ExpertPair {
    /// The logits of the mixture with some exponents.
    func mix(_ a: Float, _ b: Float, into logits: UnsafeMutablePointer<Float>) {
        for index in network.indices {
            // A symbol that cannot come, with any exponents.
            let isImpossible = network[index] == Self.impossible
            logits[index] = isImpossible ? Self.impossible : a * network[index] + b * counts[index]
        }
    }
}
