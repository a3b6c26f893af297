import CKernels

/// The simple recurrent network (Elman 1990): h' = f(x + y), with f = tanh or the positive part.
///
/// Shapes: all [B, H]; x is the input's part of the pre-activation, y the recurrent part.
package protocol ElmanKernels: ScalarKernels {
    /// `gates` holds x and receives h'.
    func elmanForward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>,
        hidden: MatrixView<Scalar>)
    /// `gates` holds h' and receives the gradient of the pre-activation.
    func elmanBackward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Scalar>, hiddenGradient: MatrixView<Scalar>)
}

extension ReferenceKernels {
    @specialized(where Scalar == Double)
    package func elmanForward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>,
        hidden: MatrixView<Scalar>
    ) {
        checkStep(1, gates, recurrent, hidden)
        for index in 0..<hidden.rows * hidden.columns {
            let x = gates.base[index] + recurrent.base[index]
            let h: Scalar =
                switch nonlinearity {
                case .tanh: .tanh(x)
                case .relu: x <= 0 ? 0 : x
                }
            gates.base[index] = h
            hidden.base[index] = h
        }
    }

    @specialized(where Scalar == Double)
    package func elmanBackward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Scalar>, hiddenGradient: MatrixView<Scalar>
    ) {
        checkStep(1, gates, nil, hiddenGradient)
        for index in 0..<hiddenGradient.rows * hiddenGradient.columns {
            let h = gates.base[index]
            let dh = hiddenGradient.base[index]
            switch nonlinearity {
            case .tanh: gates.base[index] = dh * (1 - h * h)
            case .relu: gates.base[index] = h > 0 ? dh : 0
            }
        }
    }
}

extension FloatKernels {
    package func elmanForward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Float>, recurrent: MatrixView<Float>,
        hidden: MatrixView<Float>
    ) {
        checkStep(1, gates, recurrent, hidden)
        ck_elman_forward(
            level, Int64(hidden.rows), Int64(hidden.columns), nonlinearity == .relu ? 1 : 0, gates.base,
            recurrent.base, hidden.base)
    }

    package func elmanBackward(
        _ nonlinearity: Nonlinearity, gates: MatrixView<Float>, hiddenGradient: MatrixView<Float>
    ) {
        checkStep(1, gates, nil, hiddenGradient)
        ck_elman_backward(
            level, Int64(hiddenGradient.rows), Int64(hiddenGradient.columns), nonlinearity == .relu ? 1 : 0,
            gates.base, hiddenGradient.base)
    }
}

/// The nonlinearity of an Elman network.
public enum Nonlinearity: String, Sendable, Codable, CaseIterable {
    case tanh, relu
}
