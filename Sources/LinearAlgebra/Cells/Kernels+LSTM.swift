import CKernels

/// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000), PyTorch's gates:
///
///     i, f, o = sigmoid(x + y)      x: the input's part of the pre-activation, y: the recurrent part
///     g = tanh(x + y)
///     c' = f c + i g
///     h' = o tanh(c')
///
/// Shapes: gates and recurrent [B, 4H] in the order i, f, g, o; everything else [B, H].
package protocol LSTMKernels: ScalarKernels {
    /// `gates` holds x and receives i, f, g, o; `tanhCell` keeps tanh(c') for the backward pass.
    func lstmForward(
        gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>, previousCell: MatrixView<Scalar>,
        cell: MatrixView<Scalar>, tanhCell: MatrixView<Scalar>, hidden: MatrixView<Scalar>)
    /// `gates` holds i, f, g, o and receives the gradient of the pre-activations, the same for x and for y;
    /// `cellGradient` is the gradient of c' and becomes that of c.
    func lstmBackward(
        gates: MatrixView<Scalar>, previousCell: MatrixView<Scalar>, tanhCell: MatrixView<Scalar>,
        hiddenGradient: MatrixView<Scalar>, cellGradient: MatrixView<Scalar>)
}

extension ReferenceKernels {
    @specialized(where Scalar == Double)
    package func lstmForward(
        gates: MatrixView<Scalar>, recurrent: MatrixView<Scalar>, previousCell: MatrixView<Scalar>,
        cell: MatrixView<Scalar>, tanhCell: MatrixView<Scalar>, hidden: MatrixView<Scalar>
    ) {
        let size = hidden.columns
        checkStep(4, gates, recurrent, hidden, previousCell, cell, tanhCell)
        for b in 0..<hidden.rows {
            let x = gates.base + b * 4 * size
            let y = recurrent.base + b * 4 * size
            for j in 0..<size {
                let i = sigmoid(x[j] + y[j])
                let f = sigmoid(x[size + j] + y[size + j])
                let g = Scalar.tanh(x[2 * size + j] + y[2 * size + j])
                let o = sigmoid(x[3 * size + j] + y[3 * size + j])
                let c = f * previousCell.base[b * size + j] + i * g
                let t = Scalar.tanh(c)
                (x[j], x[size + j], x[2 * size + j], x[3 * size + j]) = (i, f, g, o)
                cell.base[b * size + j] = c
                tanhCell.base[b * size + j] = t
                hidden.base[b * size + j] = o * t
            }
        }
    }

    @specialized(where Scalar == Double)
    package func lstmBackward(
        gates: MatrixView<Scalar>, previousCell: MatrixView<Scalar>, tanhCell: MatrixView<Scalar>,
        hiddenGradient: MatrixView<Scalar>, cellGradient: MatrixView<Scalar>
    ) {
        let size = hiddenGradient.columns
        checkStep(4, gates, nil, hiddenGradient, previousCell, tanhCell, cellGradient)
        for b in 0..<hiddenGradient.rows {
            let x = gates.base + b * 4 * size
            for j in 0..<size {
                let (i, f, g, o) = (x[j], x[size + j], x[2 * size + j], x[3 * size + j])
                let t = tanhCell.base[b * size + j]
                let dh = hiddenGradient.base[b * size + j]
                let dc = cellGradient.base[b * size + j] + dh * o * (1 - t * t)
                x[j] = dc * g * i * (1 - i)
                x[size + j] = dc * previousCell.base[b * size + j] * f * (1 - f)
                x[2 * size + j] = dc * i * (1 - g * g)
                x[3 * size + j] = dh * t * o * (1 - o)
                cellGradient.base[b * size + j] = dc * f
            }
        }
    }
}

extension FloatKernels {
    package func lstmForward(
        gates: MatrixView<Float>, recurrent: MatrixView<Float>, previousCell: MatrixView<Float>,
        cell: MatrixView<Float>, tanhCell: MatrixView<Float>, hidden: MatrixView<Float>
    ) {
        checkStep(4, gates, recurrent, hidden, previousCell, cell, tanhCell)
        ck_lstm_forward(
            level, Int64(hidden.rows), Int64(hidden.columns), gates.base, recurrent.base, previousCell.base,
            cell.base, tanhCell.base, hidden.base)
    }

    package func lstmBackward(
        gates: MatrixView<Float>, previousCell: MatrixView<Float>, tanhCell: MatrixView<Float>,
        hiddenGradient: MatrixView<Float>, cellGradient: MatrixView<Float>
    ) {
        checkStep(4, gates, nil, hiddenGradient, previousCell, tanhCell, cellGradient)
        ck_lstm_backward(
            level, Int64(hiddenGradient.rows), Int64(hiddenGradient.columns), gates.base, previousCell.base,
            tanhCell.base, hiddenGradient.base, cellGradient.base)
    }
}
