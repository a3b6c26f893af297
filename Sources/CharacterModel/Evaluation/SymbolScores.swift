import LinearAlgebra
import RecurrentNetwork

/// Scores of symbols, one entry per symbol.
struct SymbolScores: Sendable {
    /// [1, n].
    let nats: Matrix<Double>
    /// [1, n]; empty if not requested.
    let predictions: Matrix<Prediction>

    init(_ count: Int, predicts: Bool) {
        nats = Matrix(rows: 1, columns: count)
        predictions = Matrix(rows: 1, columns: predicts ? count : 0)
    }

    /// Copies the first scores of another.
    func copy(_ other: SymbolScores, count: Int, to place: Int) {
        nats.view.columns(place..<place + count).copy(other.nats.view.columns(0..<count))
        guard predictions.view.columns > 0 else { return }
        predictions.view.columns(place..<place + count).copy(other.predictions.view.columns(0..<count))
    }

    /// Copies the results of a one-lane shard, whose logits hold the gradient of the loss.
    func set<Scalar: KernelScalar>(from place: Int, steps: Int, of shard: Shard<Scalar>) {
        for step in 0..<steps {
            nats.view[0, place + step] = shard.losses.view[0, step]
            guard predictions.view.columns > 0 else { continue }
            predictions.view[0, place + step] = Prediction(
                shard.logits.view.rows(step..<step + 1), target: shard.input.targets.view[0, step],
                nats: shard.losses.view[0, step])
        }
    }
}
