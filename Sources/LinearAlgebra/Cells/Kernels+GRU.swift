import CKernels

/// Gated recurrent unit (Cho et al. 2014), with the reset gate applied to the recurrent product, as in PyTorch and cuDNN:
///
///     r, z = sigmoid(x + y)         x: the input's part of the pre-activation, y: the recurrent part
///     n = tanh(x + r y)
///     h' = (1 - z) n + z h
///
/// Shapes: gates, recurrent and their gradients [B, 3H] in the order r, z, n; everything else [B, H].
package protocol GRUKernels: ScalarKernels {
    /// `gates` holds x and receives r, z, n; `candidate` keeps the recurrent part of n for the backward pass.
    func gruForward(
        gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>, previous: MatrixView<Scalar>,
        candidate: MatrixView<Scalar>, hidden: MatrixView<Scalar>)
    /// `gates` holds r, z, n and receives the gradient of x, `recurrentGradient` that of y; `previousGradient` is
    /// increased by the part of the previous state's gradient that does not pass through the product.
    func gruBackward(
        gates: MatrixView<Scalar>, candidate: MatrixView<Scalar>, previous: MatrixView<Scalar>,
        hiddenGradient: MatrixView<Scalar>, recurrentGradient: MatrixView<Scalar>, previousGradient: MatrixView<Scalar>)
}

extension ReferenceKernels {
    @specialized(where Scalar == Double)
    package func gruForward(
        gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>, previous: MatrixView<Scalar>,
        candidate: MatrixView<Scalar>, hidden: MatrixView<Scalar>
    ) {
        let size = hidden.columns
        checkStep(3, gates, recurrent, hidden, previous, candidate)
        for b in 0..<hidden.rows {
            let x = gates.base + b * 3 * size
            let y = recurrent.base + b * 3 * size
            for j in 0..<size {
                let r = sigmoid(x[j] + y[j])
                let z = sigmoid(x[size + j] + y[size + j])
                let m = y[2 * size + j]
                let n = Scalar.tanh(x[2 * size + j] + r * m)
                (x[j], x[size + j], x[2 * size + j]) = (r, z, n)
                candidate.base[b * size + j] = m
                hidden.base[b * size + j] = n + z * (previous.base[b * size + j] - n)
            }
        }
    }

    @specialized(where Scalar == Double)
    package func gruBackward(
        gates: MatrixView<Scalar>, candidate: MatrixView<Scalar>, previous: MatrixView<Scalar>,
        hiddenGradient: MatrixView<Scalar>, recurrentGradient: MatrixView<Scalar>, previousGradient: MatrixView<Scalar>
    ) {
        let size = hiddenGradient.columns
        checkStep(3, gates, recurrentGradient, hiddenGradient, candidate, previous, previousGradient)
        for b in 0..<hiddenGradient.rows {
            let x = gates.base + b * 3 * size
            let y = recurrentGradient.base + b * 3 * size
            for j in 0..<size {
                let (r, z, n) = (x[j], x[size + j], x[2 * size + j])
                let dh = hiddenGradient.base[b * size + j]
                let dn = dh * (1 - z) * (1 - n * n)
                let dr = dn * candidate.base[b * size + j] * r * (1 - r)
                let dz = dh * (previous.base[b * size + j] - n) * z * (1 - z)
                (x[j], x[size + j], x[2 * size + j]) = (dr, dz, dn)
                (y[j], y[size + j], y[2 * size + j]) = (dr, dz, dn * r)
                previousGradient.base[b * size + j] += dh * z
            }
        }
    }
}

extension FloatKernels {
    package func gruForward(
        gates: MatrixView<Float>, recurrent: MatrixView<Float>, previous: MatrixView<Float>,
        candidate: MatrixView<Float>, hidden: MatrixView<Float>
    ) {
        checkStep(3, gates, recurrent, hidden, previous, candidate)
        ck_gru_forward(
            level, Int64(hidden.rows), Int64(hidden.columns), gates.base, recurrent.base, previous.base,
            candidate.base, hidden.base)
    }

    package func gruBackward(
        gates: MatrixView<Float>, candidate: MatrixView<Float>, previous: MatrixView<Float>,
        hiddenGradient: MatrixView<Float>, recurrentGradient: MatrixView<Float>, previousGradient: MatrixView<Float>
    ) {
        checkStep(3, gates, recurrentGradient, hiddenGradient, candidate, previous, previousGradient)
        ck_gru_backward(
            level, Int64(hiddenGradient.rows), Int64(hiddenGradient.columns), gates.base, candidate.base,
            previous.base, hiddenGradient.base, recurrentGradient.base, previousGradient.base)
    }
}
