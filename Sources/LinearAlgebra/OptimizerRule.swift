/// One step of an optimizer, with the numbers that are the same for the whole step.
///
/// `scale` multiplies the gradient (the clip factor); `rate` is the learning rate; `decay` the weight decay.
package enum OptimizerRule: Sendable {
    /// Stochastic gradient descent: p -= rate (g + decay p).
    case sgd(scale: Double, rate: Double, decay: Double)
    /// Adam (Kingma & Ba 2015) with the decay added to the gradient, or decoupled from it (Loshchilov & Hutter 2019).
    /// `step` counts from 1. Moments: the mean and the mean square of the gradient.
    case adam(
        scale: Double, rate: Double, decay: Double, decoupled: Bool, beta1: Double, beta2: Double, epsilon: Double,
        step: Int)
    /// RMSprop (Tieleman & Hinton 2012). Moment: the mean square of the gradient.
    case rmsprop(scale: Double, rate: Double, decay: Double, alpha: Double, epsilon: Double)
    /// Adagrad (Duchi, Hazan & Singer 2011). Moment: the sum of the squares of the gradient.
    case adagrad(scale: Double, rate: Double, decay: Double, epsilon: Double)
}

/// The numbers of one step of Adam, ready to use.
package struct AdamStep<Scalar: KernelScalar>: Sendable {
    let scale, addedDecay, beta1, beta2, shrink, size, rootScale, epsilon: Scalar
}

extension Kernels {
    package func update(
        _ rule: OptimizerRule, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>,
        moments: (MatrixView<Scalar>?, MatrixView<Scalar>?)
    ) -> Bool {
        func moment(_ view: MatrixView<Scalar>?) -> MatrixView<Scalar> {
            guard let view else { preconditionFailure("a moment is missing for \(rule)") }
            return view
        }
        func check(_ view: MatrixView<Scalar>?) {
            guard let view else { return }
            precondition(view.rows == 1 && view.columns == parameters.columns, "shapes differ")
        }
        check(parameters)
        check(gradient)
        check(moments.0)
        check(moments.1)
        let row = OptimizerRow(parameters: parameters, gradient: gradient)
        switch rule {
        case .sgd(let scale, let rate, let decay): return row.sgd(Scalar(scale), Scalar(rate), Scalar(decay))
        case .adam(let scale, let rate, let decay, let decoupled, let beta1, let beta2, let epsilon, let step):
            // The step size corrects for moving means that start at zero.
            return adam(
                AdamStep(
                    scale: Scalar(scale), addedDecay: Scalar(decoupled ? 0 : decay), beta1: Scalar(beta1),
                    beta2: Scalar(beta2), shrink: Scalar(decoupled ? 1 - rate * decay : 1),
                    size: Scalar(rate / (1 - Double.pow(beta1, Double(step)))),
                    rootScale: Scalar((1 / (1 - Double.pow(beta2, Double(step)))).squareRoot()),
                    epsilon: Scalar(epsilon)),
                parameters: parameters, gradient: gradient, mean: moment(moments.0), square: moment(moments.1))
        case .rmsprop(let scale, let rate, let decay, let alpha, let epsilon):
            return row.rmsprop(
                Scalar(scale), Scalar(rate), Scalar(decay), alpha: Scalar(alpha), epsilon: Scalar(epsilon),
                moment(moments.0))
        case .adagrad(let scale, let rate, let decay, let epsilon):
            return row.adagrad(Scalar(scale), Scalar(rate), Scalar(decay), epsilon: Scalar(epsilon), moment(moments.0))
        }
    }
}

/// A row of parameters and its gradient, as the simple rules update it. Each returns whether its results are finite: x
/// - x is 0 for every finite x, and NaN for the others.
private struct OptimizerRow<Scalar: KernelScalar> {
    private let p: UnsafeMutablePointer<Scalar>
    private let g: UnsafeMutablePointer<Scalar>
    private let count: Int

    init(parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>) {
        p = parameters.base
        g = gradient.base
        count = parameters.columns
    }

    func sgd(_ scale: Scalar, _ rate: Scalar, _ decay: Scalar) -> Bool {
        var flaw: Scalar = 0
        for index in 0..<count {
            p[index] -= rate * (scale * g[index] + decay * p[index])
            flaw += p[index] - p[index]
        }
        return flaw == 0
    }

    func rmsprop(
        _ scale: Scalar, _ rate: Scalar, _ decay: Scalar, alpha: Scalar, epsilon: Scalar, _ square: MatrixView<Scalar>
    ) -> Bool {
        let v = square.base
        var flaw: Scalar = 0
        for index in 0..<count {
            let d = scale * g[index] + decay * p[index]
            v[index] = alpha * v[index] + (1 - alpha) * d * d
            p[index] -= rate * d / (v[index].squareRoot() + epsilon)
            flaw += (p[index] - p[index]) + (v[index] - v[index])
        }
        return flaw == 0
    }

    func adagrad(
        _ scale: Scalar, _ rate: Scalar, _ decay: Scalar, epsilon: Scalar, _ sum: MatrixView<Scalar>
    ) -> Bool {
        let v = sum.base
        var flaw: Scalar = 0
        for index in 0..<count {
            let d = scale * g[index] + decay * p[index]
            v[index] += d * d
            p[index] -= rate * d / (v[index].squareRoot() + epsilon)
            flaw += (p[index] - p[index]) + (v[index] - v[index])
        }
        return flaw == 0
    }
}
