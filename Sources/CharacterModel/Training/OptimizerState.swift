import LinearAlgebra

/// An optimizer at work: its moments, and one fused pass over the arena for each step.
package final class OptimizerState<Scalar: KernelScalar>: Sendable {
    package let optimizer: Optimizer
    package let moments: [Parameters<Scalar>]
    private static var pieceSize: Int { 1 << 14 }
    /// [1, pieces]: the sum of the squares of each piece.
    private let sums: Matrix<Double>

    package init(_ optimizer: Optimizer, _ model: ModelConfiguration) {
        self.optimizer = optimizer
        moments = optimizer.moments.map { _ in Parameters(model) }
        sums = Matrix(rows: 1, columns: (ParameterLayout(model).count + Self.pieceSize - 1) / Self.pieceSize)
    }

    /// The Euclidean norm of a gradient, summed in an order of its own.
    package func norm(of gradient: Parameters<Scalar>, using workers: Workers) -> Double {
        let row = gradient.all
        precondition(gradient.layout.count <= sums.view.columns * Self.pieceSize, "the gradient of another model")
        workers.forEachPiece(of: row.columns, size: Self.pieceSize) { range in
            sums.view[0, range.lowerBound / Self.pieceSize] = Scalar.kernels.sumOfSquares(row.columns(range))
        }
        return (0..<sums.view.columns).reduce(0) { $0 + sums.view[0, $1] }.squareRoot()
    }

    /// Moves the parameters by one step.
    ///
    /// - Parameters:
    ///   - step: counted from 1.
    ///   - scale: what the gradient is multiplied by first (clipping).
    package func update(
        _ parameters: Parameters<Scalar>, gradient: Parameters<Scalar>, step: Int, scale: Double, rate: Double,
        decay: Double, using workers: Workers
    ) {
        let rule = optimizer.rule(step: step, scale: scale, rate: rate, decay: decay)
        let (first, second) = (moments.first?.all, moments.count > 1 ? moments[1].all : nil)
        workers.forEachPiece(of: parameters.all.columns, size: Self.pieceSize) { range in
            Scalar.kernels.update(
                rule, parameters: parameters.all.columns(range), gradient: gradient.all.columns(range),
                moments: (first?.columns(range), second?.columns(range)))
        }
        assert(parameters.gapsAreZero && moments.allSatisfy(\.gapsAreZero))
    }
}

extension Optimizer {
    /// A step's numbers. Constants are PyTorch's, but for Adam's second beta, 0.99: windows are few and correlated.
    package func rule(step: Int, scale: Double, rate: Double, decay: Double) -> OptimizerRule {
        switch self {
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

/// What a gradient of the given norm is multiplied by so that its norm is at most `limit` (Pascanu et al. 2013).
package func clipFactor(norm: Double, limit: Double) -> Double { norm > limit ? limit / norm : 1 }
