import Concurrency
import LinearAlgebra

/// An optimizer in use: its moments, and one fused pass over the arena for each step.
package final class OptimizerState<Scalar: KernelScalar>: Sendable {
    package let optimizer: Optimizer
    package let moments: [Parameters<Scalar>]
    private let pieces: [Piece]
    /// Looks at every row of n-grams.
    private let everyRow: SparseRows

    /// How much higher the rate of rows is that move only in steps in which they have a gradient, since they miss what momentum
    /// would add later.
    private static var sparseFactor: Double { 2 }

    /// A part of the arena.
    private struct Piece: Sendable {
        let range: Range<Int>
        /// Whether weight decay reaches it: biases are left alone.
        let decays: Bool
        /// Whether it counts in a norm: a tied embedding counts once.
        let counts: Bool
        /// The rows of the table of n-grams; nil elsewhere. Those without any gradient are left alone, moments included.
        let ngrams: Range<Int>?
    }

    package init(_ optimizer: Optimizer, _ model: ModelConfiguration) {
        self.optimizer = optimizer
        moments = optimizer.moments.map { _ in Parameters(model) }
        let layout = ParameterLayout(model)
        let ends = layout.entries.dropFirst().map(\.offset) + [layout.count]
        pieces = zip(layout.entries, ends).flatMap { entry, end in
            let isSparse = entry.role == .ngrams
            let length = isSparse ? 256 * entry.columns : 1 << 14
            return stride(from: entry.offset, to: end, by: length).map { first in
                let (row, range) = ((first - entry.offset) / entry.columns, first..<min(first + length, end))
                return Piece(
                    range: range, decays: !entry.isBias, counts: !(model.isTied && entry.role == .encoder),
                    ngrams: isSparse ? row..<min(row + 256, entry.rows) : nil)
            }
        }
        everyRow = SparseRows(model, isShared: true)
    }

    /// The Euclidean norm of a gradient, summed in a fixed order.
    package func norm(of gradient: Parameters<Scalar>, using workers: Workers) -> Double {
        norm(of: gradient, rows: everyRow, using: workers)
    }

    func norm(of gradient: Parameters<Scalar>, rows: SparseRows, using workers: Workers) -> Double {
        let row = gradient.all
        let sums = eachPiece(of: gradient, using: workers) { piece in
            if let range = piece.ngrams, let table = gradient.ngrams {
                return rows.rows(in: range, of: table).reduce(0) {
                    $0 + Scalar.kernels.sumOfSquares(table.rows($1..<$1 + 1))
                }
            }
            return piece.counts ? Scalar.kernels.sumOfSquares(row.columns(piece.range)) : 0
        }
        return sums.reduce(0, +).squareRoot()
    }

    /// Updates the parameters by one step. False if one of them, or a moment, is not finite afterwards.
    package func update(
        _ parameters: Parameters<Scalar>, gradient: Parameters<Scalar>, _ step: UpdateStep, using workers: Workers
    ) -> Bool {
        update(parameters, gradient: gradient, rows: everyRow, step, using: workers)
    }

    func update(
        _ parameters: Parameters<Scalar>, gradient: Parameters<Scalar>, rows: SparseRows, _ step: UpdateStep,
        using workers: Workers
    ) -> Bool {
        let (rule, forBiases) = (
            optimizer.rule(step, decay: step.decay), optimizer.rule(step, decay: 0)
        )
        var sparse = step
        sparse.rate *= Self.sparseFactor
        let forRows = optimizer.rule(sparse, decay: step.decay)
        let (weights, slopes) = (parameters.all, gradient.all)
        let (first, second) = (moments.first?.all, moments.count > 1 ? moments[1].all : nil)
        @Sendable func update(_ range: Range<Int>, _ rule: OptimizerRule) -> Bool {
            Scalar.kernels.update(
                rule, parameters: weights.columns(range), gradient: slopes.columns(range),
                moments: (first?.columns(range), second?.columns(range)))
        }
        let flaws = eachPiece(of: parameters, using: workers) { piece in
            guard let range = piece.ngrams, let table = gradient.ngrams else {
                return update(piece.range, piece.decays ? rule : forBiases) ? 0 : 1
            }
            let first = piece.range.lowerBound - range.lowerBound * table.columns
            return rows.rows(in: range, of: table).reduce(0.0) { flaws, row in
                let start = first + row * table.columns
                return flaws + (update(start..<start + table.columns, forRows) ? 0 : 1)
            }
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
