import LinearAlgebra
import RecurrentNetwork

/// The score of one symbol of a text.
package struct SymbolScore: Sendable {
    package var position: Int
    /// Its index in the corpus.
    package var symbol: Int32
    /// -ln p, including the spelling of an unknown symbol.
    package var nats: Double
    /// The same under the network alone and under the counts alone, if both are mixed.
    package var networkNats: Double?
    package var countsNats: Double?
    package var prediction: Prediction?
}

/// Scores of symbols, one entry per symbol.
struct SymbolScores: Sendable {
    /// [1, n].
    let nats: Matrix<Double>
    /// [1, n]; empty if not requested.
    let predictions: Matrix<Prediction>
    /// [2, n]: the nats of the network and of the counts, where both are mixed; empty otherwise.
    let parts: Matrix<Double>

    init(_ count: Int, predicts: Bool, mixes: Bool) {
        nats = Matrix(rows: 1, columns: count)
        predictions = Matrix(rows: 1, columns: predicts ? count : 0)
        parts = Matrix(rows: 2, columns: mixes ? count : 0)
    }

    /// Copies the first scores of another.
    func copy(_ other: SymbolScores, count: Int, to place: Int) {
        nats.view.columns(place..<place + count).copy(other.nats.view.columns(0..<count))
        if parts.view.columns > 0 {
            parts.view.columns(place..<place + count).copy(other.parts.view.columns(0..<count))
        }
        guard predictions.view.columns > 0 else { return }
        predictions.view.columns(place..<place + count).copy(other.predictions.view.columns(0..<count))
    }

    /// Copies the results of a one-lane shard, whose logits hold the gradient of the loss, and of what mixed counts into it.
    func set<Scalar: KernelScalar>(from place: Int, steps: Int, of shard: Shard<Scalar>, _ mixer: CountMixer?) {
        for step in 0..<steps {
            nats.view[0, place + step] = shard.losses.view[0, step]
            if let mixer {
                parts.view[0, place + step] = mixer.networkNats[step]
                parts.view[1, place + step] = mixer.countsNats[step]
            }
            guard predictions.view.columns > 0 else { continue }
            predictions.view[0, place + step] = Prediction(
                shard.logits.view.rows(step..<step + 1), target: shard.input.targets.view[0, step],
                nats: shard.losses.view[0, step])
        }
    }
}
