import LinearAlgebra

/// The simple recurrent network's step within a layer's window. The equations stand with the kernels.
extension LayerWindow {
    func elmanForward(_ step: Int) {
        Scalar.kernels.elmanForward(
            nonlinearity, gates: gates(step), recurrent: recurrent.view, hidden: slot(step + 1, of: states))
    }

    func elmanBackward(_ step: Int, _ learning: Learning) {
        Scalar.kernels.elmanBackward(
            nonlinearity, gates: gates(step), hiddenGradient: slot(step, of: learning.outputGradient))
    }
}
