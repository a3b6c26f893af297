import LinearAlgebra

/// The GRU's step within a layer's window. The equations stand with the kernels.
extension LayerWindow {
    func gruForward(_ step: Int) {
        Scalar.kernels.gruForward(
            gates: gates(step), recurrent: recurrent.view, previous: slot(step, of: states),
            candidate: slot(step, of: kept), hidden: slot(step + 1, of: states))
    }

    /// The reset gate stands between the recurrent product and the candidate, so the two sides have gradients of their own.
    func gruBackward(_ step: Int, _ learning: Learning, below: MatrixView<Scalar>) {
        Scalar.kernels.gruBackward(
            gates: gates(step), candidate: slot(step, of: kept), previous: slot(step, of: states),
            hiddenGradient: slot(step, of: learning.outputGradient),
            recurrentGradient: slot(step, of: learning.recurrentGradient), previousGradient: below)
    }
}
