import LinearAlgebra

/// A point in a window where a lane begins a new text: its state is zero before that step.
package struct Reset: Sendable, Equatable {
    package var step: Int
    package var lane: Int

    package init(step: Int, lane: Int) {
        self.step = step
        self.lane = lane
    }
}

/// What a layer reads.
enum LayerInput<Scalar: KernelScalar> {
    /// One-hot: ids [1, T B].
    case ids(MatrixView<Int32>)
    /// [T B, K].
    case matrix(MatrixView<Scalar>)
}

/// One layer's part of a window: T steps of B lanes. The rows of step t are `t B ..< (t + 1) B`.
final class LayerWindow<Scalar: KernelScalar>: Sendable {
    /// What only training needs.
    struct Learning: Sendable {
        /// [T B, H]: in, the gradient that reaches the output from above; out, the whole gradient of h'.
        let outputGradient: Matrix<Scalar>
        /// [T B, 3H], for a GRU: the gradient of the recurrent part, where it differs from the input's.
        let recurrentGradient: Matrix<Scalar>
        /// [B, H]: the gradients of h and c that a step hands to the one before.
        let carried: Matrix<Scalar>
        let cellGradient: Matrix<Scalar>
    }

    let cell: CellKind
    let nonlinearity: Nonlinearity
    let lanes: Int
    /// [T B, GH]: pre-activations of the input, then activations, then (on the way back) gradients.
    let gateValues: Matrix<Scalar>
    /// [B, GH]: one step's recurrent part.
    let recurrent: Matrix<Scalar>
    /// [(T + 1) B, H]: h before each step, and after the last.
    let previous: Matrix<Scalar>
    /// [(T + 1) B, H], for an LSTM: c before each step, and after the last.
    let previousCell: Matrix<Scalar>
    /// [T B, H]: what the way back needs of each step: tanh(c'), or the GRU's recurrent part of n.
    let kept: Matrix<Scalar>
    /// [T B, H]: h after each step, as the layer above reads it.
    let output: Matrix<Scalar>
    let learning: Learning?

    init(_ model: ModelConfiguration, lanes: Int, steps: Int, learns: Bool) {
        func rows(_ rows: Int, of columns: Int, if used: Bool = true) -> Matrix<Scalar> {
            Matrix(rows: used ? rows : 0, columns: columns)
        }
        let h = model.hidden
        let gh = model.cell.gates * h
        cell = model.cell
        nonlinearity = model.nonlinearity
        self.lanes = lanes
        gateValues = rows(steps * lanes, of: gh)
        recurrent = rows(lanes, of: gh)
        previous = rows((steps + 1) * lanes, of: h)
        previousCell = rows((steps + 1) * lanes, of: h, if: model.cell == .lstm)
        kept = rows(steps * lanes, of: h, if: model.cell != .rnn)
        output = rows(steps * lanes, of: h)
        learning =
            learns
            ? Learning(
                outputGradient: rows(steps * lanes, of: h),
                recurrentGradient: rows(steps * lanes, of: gh, if: model.cell == .gru),
                carried: rows(lanes, of: h), cellGradient: rows(lanes, of: h, if: model.cell == .lstm))
            : nil
    }

    /// The rows of one step.
    func slot(_ step: Int, of matrix: Matrix<Scalar>) -> MatrixView<Scalar> {
        matrix.view.rows(step * lanes..<(step + 1) * lanes)
    }

    func gates(_ step: Int) -> MatrixView<Scalar> { slot(step, of: gateValues) }

    /// Runs the steps of a window from the state in slot 0, which is left in slot `steps`.
    func forward(
        steps: Int, input: LayerInput<Scalar>, resets: [Reset], weights: Network<Scalar>.Layer,
        parameters: Parameters<Scalar>.Layer
    ) {
        let kernels = Scalar.kernels
        let all = gateValues.view.rows(0..<steps * lanes)
        switch input {
        case .ids(let ids): kernels.gather(ids, from: parameters.inputWeight, bias: parameters.inputBias, into: all)
        case .matrix(let x):
            kernels.product(x, weights.input!, bias: parameters.inputBias, accumulate: false, into: all)
        }
        for step in 0..<steps {
            for reset in resets where reset.step == step { clear(step * lanes + reset.lane) }
            kernels.product(
                slot(step, of: previous), weights.recurrent, bias: parameters.recurrentBias, accumulate: false,
                into: recurrent.view)
            switch cell {
            case .lstm: lstmForward(step)
            case .gru: gruForward(step)
            case .rnn: elmanForward(step)
            }
            slot(step + 1, of: previous).copy(slot(step, of: output))
        }
    }

    /// Runs the steps backward. Gradients are cut at the window's start and at resets.
    ///
    /// Afterwards `gateValues` holds the gradient of the input's pre-activations, and `inputGradient` that of the input.
    func backward(
        steps: Int, resets: [Reset], weights: Network<Scalar>.Layer, inputGradient: MatrixView<Scalar>?
    ) {
        guard let learning else { preconditionFailure("this window was made for reading only") }
        let kernels = Scalar.kernels
        learning.carried.view.fill(0)
        learning.cellGradient.view.fill(0)
        for step in (0..<steps).reversed() {
            kernels.add(learning.carried.view, into: slot(step, of: learning.outputGradient))
            switch cell {
            case .lstm: lstmBackward(step, learning)
            case .gru: gruBackward(step, learning)
            case .rnn: elmanBackward(step, learning)
            }
            guard step > 0 else { break }
            kernels.product(
                slot(step, of: recurrentGradient), weights.recurrentBackward!, bias: nil, accumulate: cell == .gru,
                into: learning.carried.view)
            for reset in resets where reset.step == step {
                learning.carried.view.rows(reset.lane..<reset.lane + 1).fill(0)
                if cell == .lstm { learning.cellGradient.view.rows(reset.lane..<reset.lane + 1).fill(0) }
            }
        }
        if let inputGradient {
            kernels.product(
                gateValues.view.rows(0..<steps * lanes), weights.inputBackward!, bias: nil, accumulate: false,
                into: inputGradient)
        }
    }

    /// The gradient of the recurrent part of the pre-activations [T B, GH]; the input's own but for the GRU.
    var recurrentGradient: Matrix<Scalar> { cell == .gru ? learning!.recurrentGradient : gateValues }

    private func clear(_ row: Int) {
        previous.view.rows(row..<row + 1).fill(0)
        if cell == .lstm { previousCell.view.rows(row..<row + 1).fill(0) }
    }
}
