import Concurrency
import LinearAlgebra

/// An optimizer in use: its moments, and one fused pass over the arena for each step.
package final class OptimizerState<Scalar: KernelScalar>: Sendable {
    package let optimizer: Optimizer
    package let moments: [Parameters<Scalar>]
    private let pieces: [Piece]

    /// A part of the arena.
    private struct Piece: Sendable {
        let range: Range<Int>
        /// Whether weight decay reaches it: biases are left alone.
        let decays: Bool
        /// Whether it counts in a norm: a tied embedding counts once.
        let counts: Bool
        /// The length of rows of which those without any gradient are left alone, moments included; 0 if all move.
        let sparseColumns: Int
    }

    package init(_ optimizer: Optimizer, _ model: ModelConfiguration) {
        self.optimizer = optimizer
        moments = optimizer.moments.map { _ in Parameters(model) }
        let layout = ParameterLayout(model)
        let ends = layout.entries.dropFirst().map(\.offset) + [layout.count]
        pieces = zip(layout.entries, ends).flatMap { entry, end in
            let sparseColumns = entry.role == .ngrams ? entry.columns : 0
            let length = sparseColumns > 0 ? max(1, (1 << 14) / sparseColumns) * sparseColumns : 1 << 14
            return stride(from: entry.offset, to: end, by: length).map { first in
                Piece(
                    range: first..<min(first + length, end), decays: !entry.isBias,
                    counts: !(model.isTied && entry.role == .encoder), sparseColumns: sparseColumns)
            }
        }
    }

    /// The Euclidean norm of a gradient, summed in a fixed order.
    package func norm(of gradient: Parameters<Scalar>, using workers: Workers) -> Double {
        let row = gradient.all
        let sums = eachPiece(of: gradient, using: workers) { piece in
            piece.counts ? Scalar.kernels.sumOfSquares(row.columns(piece.range)) : 0
        }
        return sums.reduce(0, +).squareRoot()
    }

    /// Updates the parameters by one step. False if one of them, or a moment, is not finite afterwards.
    package func update(
        _ parameters: Parameters<Scalar>, gradient: Parameters<Scalar>, _ step: UpdateStep, using workers: Workers
    ) -> Bool {
        let (rule, forBiases) = (
            optimizer.rule(step, decay: step.decay), optimizer.rule(step, decay: 0)
        )
        let (weights, slopes) = (parameters.all, gradient.all)
        let (first, second) = (moments.first?.all, moments.count > 1 ? moments[1].all : nil)
        @Sendable func update(_ range: Range<Int>, _ rule: OptimizerRule) -> Bool {
            Scalar.kernels.update(
                rule, parameters: weights.columns(range), gradient: slopes.columns(range),
                moments: (first?.columns(range), second?.columns(range)))
        }
        let flaws = eachPiece(of: parameters, using: workers) { piece in
            guard piece.sparseColumns > 0 else { return update(piece.range, piece.decays ? rule : forBiases) ? 0 : 1 }
            var flaws = 0.0
            for start in stride(from: piece.range.lowerBound, to: piece.range.upperBound, by: piece.sparseColumns) {
                let row = start..<min(start + piece.sparseColumns, piece.range.upperBound)
                if slopes.columns(row).hasNonzero && !update(row, rule) { flaws += 1 }
            }
            return flaws
        }
        assert(parameters.gapsAreZero && moments.allSatisfy(\.gapsAreZero))
        return flaws.allSatisfy { $0 == 0 }
    }

    /// The results of `body` for each piece of an arena, in order.
    private func eachPiece(
        of parameters: Parameters<Scalar>, using workers: Workers, _ body: @Sendable (Piece) -> Double
    ) -> [Double] {
        precondition(pieces.last?.range.upperBound == parameters.layout.count, "the parameters of another model")
        let results = Matrix<Double>(rows: 1, columns: pieces.count)
        workers.forEach(pieces.count) { results.view[0, $0] = body(pieces[$0]) }
        return results.elements
    }
}

extension Optimizer {
    /// The numbers of a step. Constants are PyTorch's, except Adam's second beta, 0.99: windows are few and correlated.
    package func rule(_ numbers: UpdateStep, decay: Double) -> OptimizerRule {
        let (step, scale, rate) = (numbers.step, numbers.scale, numbers.rate)
        return switch self {
        case .sgd: .sgd(scale: scale, rate: rate, decay: decay)
        case .adam, .adamw:
            .adam(
                scale: scale, rate: rate, decay: decay, decoupled: self == .adamw, beta1: 0.9, beta2: 0.99,
                epsilon: 1e-8, step: step)
        case .rmsprop: .rmsprop(scale: scale, rate: rate, decay: decay, alpha: 0.99, epsilon: 1e-8)
        case .adagrad: .adagrad(scale: scale, rate: rate, decay: decay, epsilon: 1e-10)
        }
    }
}

/// The factor that limits the norm of a gradient to `limit` (Pascanu et al. 2013).
package func clipFactor(norm: Double, limit: Double) -> Double { norm > limit ? limit / norm : 1 }
