import CKernels

/// The minimal gated recurrent unit (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024), in its plain form:
///
///     z = sigmoid(x)                x: the input's pre-activation; there is no recurrent part
///     c = x                         the candidate is linear in the input
///     h' = (1 - z) h + z c
///
/// Shapes: gates [B, 2H] in the order z, c; everything else [B, H].
package protocol MinGRUKernels: ScalarKernels {
    /// `gates` holds x and receives z, c.
    func minGRUForward(gates: MatrixView<Scalar>, previous: MatrixView<Scalar>, hidden: MatrixView<Scalar>)
    /// `gates` holds z, c and receives the gradient of x; the gradient of the previous state is added to
    /// `previousGradient`.
    func minGRUBackward(
        gates: MatrixView<Scalar>, previous: MatrixView<Scalar>, hiddenGradient: MatrixView<Scalar>,
        previousGradient: MatrixView<Scalar>)
}

extension ReferenceKernels {
    @specialized(where Scalar == Double)
    package func minGRUForward(gates: MatrixView<Scalar>, previous: MatrixView<Scalar>, hidden: MatrixView<Scalar>) {
        let size = hidden.columns
        checkStep(2, gates, nil, hidden, previous)
        for b in 0..<hidden.rows {
            let x = gates.base + b * 2 * size
            for j in 0..<size {
                let (z, c, h) = (sigmoid(x[j]), x[size + j], previous.base[b * size + j])
                x[j] = z
                hidden.base[b * size + j] = h + z * (c - h)
            }
        }
    }

    @specialized(where Scalar == Double)
    package func minGRUBackward(
        gates: MatrixView<Scalar>, previous: MatrixView<Scalar>, hiddenGradient: MatrixView<Scalar>,
        previousGradient: MatrixView<Scalar>
    ) {
        let size = hiddenGradient.columns
        checkStep(2, gates, nil, hiddenGradient, previous, previousGradient)
        for b in 0..<hiddenGradient.rows {
            let x = gates.base + b * 2 * size
            for j in 0..<size {
                let (z, c, dh) = (x[j], x[size + j], hiddenGradient.base[b * size + j])
                x[j] = dh * (c - previous.base[b * size + j]) * z * (1 - z)
                x[size + j] = dh * z
                previousGradient.base[b * size + j] += dh * (1 - z)
            }
        }
    }
}

extension FloatKernels {
    package func minGRUForward(gates: MatrixView<Float>, previous: MatrixView<Float>, hidden: MatrixView<Float>) {
        checkStep(2, gates, nil, hidden, previous)
        ck_mingru_forward(
            level, Int64(hidden.rows), Int64(hidden.columns), gates.base, previous.base, hidden.base)
    }

    package func minGRUBackward(
        gates: MatrixView<Float>, previous: MatrixView<Float>, hiddenGradient: MatrixView<Float>,
        previousGradient: MatrixView<Float>
    ) {
        checkStep(2, gates, nil, hiddenGradient, previous, previousGradient)
        ck_mingru_backward(
            level, Int64(hiddenGradient.rows), Int64(hiddenGradient.columns), gates.base, previous.base,
            hiddenGradient.base, previousGradient.base)
    }
}
