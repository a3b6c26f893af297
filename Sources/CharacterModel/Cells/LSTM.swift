import LinearAlgebra

/// The LSTM's step within a layer's window. The equations stand with the kernels.
extension LayerWindow {
    func lstmForward(_ step: Int) {
        Scalar.kernels.lstmForward(
            gates: gates(step), recurrent: recurrent.view, previousCell: slot(step, of: cellStates),
            cell: slot(step + 1, of: cellStates), tanhCell: slot(step, of: kept), hidden: slot(step + 1, of: states))
    }

    /// Nothing of the hidden gradient passes by the product: the cell state carries the rest.
    func lstmBackward(_ step: Int, _ learning: Learning) {
        Scalar.kernels.lstmBackward(
            gates: gates(step), previousCell: slot(step, of: cellStates), tanhCell: slot(step, of: kept),
            hiddenGradient: slot(step, of: learning.outputGradient), cellGradient: learning.cellGradient.view)
    }
}
