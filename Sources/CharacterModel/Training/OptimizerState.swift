import LinearAlgebra

/// An optimizer at work: its moments, and one fused pass over the arena for each step. One caller at a time.
package final class OptimizerState<Scalar: KernelScalar>: @unchecked Sendable {
    package let optimizer: Optimizer
    package let moments: [Parameters<Scalar>]
    private static var pieceSize: Int { 1 << 14 }
    /// [1, pieces]: the sum of the squares of each piece.
    private let sums: Matrix<Double>
    private var work = Work.none
    private lazy var list = WorkList { [unowned self] piece, _ in run(piece) }

    /// What is done with each piece of the arena.
    private enum Work {
        case none
        case norm(MatrixView<Scalar>)
        case update(OptimizerRule, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>)
    }

    package init(_ optimizer: Optimizer, _ model: ModelConfiguration) {
        self.optimizer = optimizer
        moments = optimizer.moments.map { _ in Parameters(model) }
        sums = Matrix(rows: 1, columns: (ParameterLayout(model).count + Self.pieceSize - 1) / Self.pieceSize)
    }

    /// The Euclidean norm of a gradient, summed in an order of its own.
    package func norm(of gradient: Parameters<Scalar>, using workers: Workers) -> Double {
        run(.norm(gradient.all), count: gradient.layout.count, using: workers)
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
        run(
            .update(rule, parameters: parameters.all, gradient: gradient.all), count: gradient.layout.count,
            using: workers)
        assert(parameters.gapsAreZero && moments.allSatisfy(\.gapsAreZero))
    }

    private func run(_ work: Work, count: Int, using workers: Workers) {
        let pieces = sums.view.columns
        precondition(pieces == (count + Self.pieceSize - 1) / Self.pieceSize, "the parameters of another model")
        self.work = work
        workers.run(pieces, of: list)
        self.work = .none
    }

    private func run(_ piece: Int) {
        let first = piece * Self.pieceSize
        func part(_ row: MatrixView<Scalar>) -> MatrixView<Scalar> {
            row.columns(first..<min(first + Self.pieceSize, row.columns))
        }
        switch work {
        case .none: break
        case .norm(let row): sums.view[0, piece] = Scalar.kernels.sumOfSquares(part(row))
        case .update(let rule, let parameters, let gradient):
            let second = moments.count > 1 ? part(moments[1].all) : nil
            Scalar.kernels.update(
                rule, parameters: part(parameters), gradient: part(gradient),
                moments: (moments.isEmpty ? nil : part(moments[0].all), second))
        }
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
