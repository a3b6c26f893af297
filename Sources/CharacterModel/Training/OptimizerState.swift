import LinearAlgebra

/// An optimizer at work: its moments, and one fused pass over the arena for each step. One caller at a time.
package final class OptimizerState<Scalar: KernelScalar>: @unchecked Sendable {
    package let optimizer: Optimizer
    package let moments: [Parameters<Scalar>]
    /// Parts of the arena; whether weight decay reaches them, for biases are left alone; and whether they count in a norm, for a
    /// tied embedding counts once.
    private let pieces: [(range: Range<Int>, decays: Bool, counts: Bool)]
    /// [1, pieces]: the sum of the squares of each piece.
    private let sums: Matrix<Double>
    private var work = Work.none
    private lazy var list = WorkList { [unowned self] piece, _ in run(piece) }

    /// What is done with each piece of the arena.
    private enum Work {
        case none
        case norm(MatrixView<Scalar>)
        case update(
            OptimizerRule, forBiases: OptimizerRule, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>)
    }

    package init(_ optimizer: Optimizer, _ model: ModelConfiguration) {
        self.optimizer = optimizer
        moments = optimizer.moments.map { _ in Parameters(model) }
        let layout = ParameterLayout(model)
        let ends = layout.entries.dropFirst().map(\.offset) + [layout.count]
        pieces = zip(layout.entries, ends).flatMap { entry, end in
            stride(from: entry.offset, to: end, by: 1 << 14).map { first in
                (first..<min(first + 1 << 14, end), !entry.isBias, !(model.isTied && entry.role == .encoder))
            }
        }
        sums = Matrix(rows: 1, columns: pieces.count)
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
        func rule(decay: Double) -> OptimizerRule {
            optimizer.rule(step: step, scale: scale, rate: rate, decay: decay)
        }
        run(
            .update(
                rule(decay: decay), forBiases: rule(decay: 0), parameters: parameters.all, gradient: gradient.all),
            count: gradient.layout.count, using: workers)
        assert(parameters.gapsAreZero && moments.allSatisfy(\.gapsAreZero))
    }

    private func run(_ work: Work, count: Int, using workers: Workers) {
        precondition(pieces.last?.range.upperBound == count, "the parameters of another model")
        self.work = work
        workers.run(pieces.count, of: list)
        self.work = .none
    }

    private func run(_ piece: Int) {
        let (range, decays, counts) = pieces[piece]
        func part(_ row: MatrixView<Scalar>) -> MatrixView<Scalar> { row.columns(range) }
        switch work {
        case .none: break
        case .norm(let row): sums.view[0, piece] = counts ? Scalar.kernels.sumOfSquares(part(row)) : 0
        case .update(let rule, let forBiases, let parameters, let gradient):
            let second = moments.count > 1 ? part(moments[1].all) : nil
            Scalar.kernels.update(
                decays ? rule : forBiases, parameters: part(parameters), gradient: part(gradient),
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
