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
        /// [B, H]: rows that a reset keeps from what the step after it hands back.
        let setAside: Matrix<Scalar>
        /// [B, H]: the gradient of c that a step hands to the one before.
        let cellGradient: Matrix<Scalar>
        /// `states`, packed for the gradients of weights.
        let packedStates: PackedMatrix<Scalar>
        /// `separateOutput`, packed likewise; nil where the states are the output.
        let packedOutput: PackedMatrix<Scalar>?
    }

    let cell: CellKind
    let nonlinearity: Nonlinearity
    let lanes: Int
    /// [T B, GH]: pre-activations of the input, then activations, then (on the way back) gradients.
    let gateValues: Matrix<Scalar>
    /// [B, GH]: one step's recurrent part.
    let recurrent: Matrix<Scalar>
    /// [(T + 1) B, H]: h before each step, and after the last.
    let states: Matrix<Scalar>
    /// [(T + 1) B, H], for an LSTM: c before each step, and after the last.
    let cellStates: Matrix<Scalar>
    /// [T B, H]: what the way back needs of each step: tanh(c'), or the GRU's recurrent part of n.
    let kept: Matrix<Scalar>
    /// [T B, H]: what the layer above reads, where that is not h: dropout changes the one and resets the other.
    let separateOutput: Matrix<Scalar>?
    let learning: Learning?

    /// - Parameter restarts: whether lanes may begin a text within a window.
    init(_ model: ModelConfiguration, lanes: Int, steps: Int, learns: Bool, restarts: Bool) {
        func rows(_ rows: Int, of columns: Int, if used: Bool = true) -> Matrix<Scalar> {
            Matrix(rows: used ? rows : 0, columns: columns)
        }
        let h = model.hidden
        let gh = model.cell.gates * h
        let isSeparate = restarts || (learns && model.dropout > 0)
        cell = model.cell
        nonlinearity = model.nonlinearity
        self.lanes = lanes
        gateValues = rows(steps * lanes, of: gh)
        recurrent = rows(lanes, of: gh)
        states = rows((steps + 1) * lanes, of: h)
        cellStates = rows((steps + 1) * lanes, of: h, if: model.cell == .lstm)
        kept = rows(steps * lanes, of: h, if: model.cell != .rnn)
        separateOutput = isSeparate ? rows(steps * lanes, of: h) : nil
        learning =
            learns
            ? Learning(
                outputGradient: rows(steps * lanes, of: h),
                recurrentGradient: rows(steps * lanes, of: gh, if: model.cell == .gru),
                setAside: rows(lanes, of: h),
                cellGradient: rows(lanes, of: h, if: model.cell == .lstm),
                packedStates: PackedMatrix(inner: (steps + 1) * lanes, columns: h),
                packedOutput: isSeparate ? PackedMatrix(inner: steps * lanes, columns: h) : nil)
            : nil
    }

    /// The rows of one step.
    func slot(_ step: Int, of matrix: Matrix<Scalar>) -> MatrixView<Scalar> {
        matrix.view.rows(step * lanes..<(step + 1) * lanes)
    }

    func gates(_ step: Int) -> MatrixView<Scalar> { slot(step, of: gateValues) }

    /// What the layer above reads in the first steps [T B, H].
    func output(_ steps: Int) -> MatrixView<Scalar> {
        separateOutput?.view.rows(0..<steps * lanes) ?? states.view.rows(lanes..<(steps + 1) * lanes)
    }

    /// The input's part of the pre-activations, of some steps.
    func project(
        _ steps: Range<Int>, of input: LayerInput<Scalar>, weights: Network<Scalar>.Layer,
        parameters: Parameters<Scalar>.Layer
    ) {
        let kernels = Scalar.kernels
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        let target = gateValues.view.rows(rows)
        switch input {
        case .ids(let ids):
            kernels.gather(
                ids.columns(rows), from: parameters.inputWeight, bias: parameters.inputBias, into: target)
        case .matrix(let x):
            kernels.product(x.rows(rows), weights.input!, bias: parameters.inputBias, accumulate: false, into: target)
        }
    }

    /// Runs the steps of a window, whose input is projected, from the state in slot 0; the state after it is left in slot
    /// `steps`.
    func recur(
        steps: Int, resets: [Reset], weights: Network<Scalar>.Layer, parameters: Parameters<Scalar>.Layer
    ) {
        let kernels = Scalar.kernels
        for step in 0..<steps {
            for reset in resets where reset.step == step {
                precondition(step == 0 || separateOutput != nil, "a reset in a window that was made without")
                clear(step * lanes + reset.lane)
            }
            kernels.product(
                slot(step, of: states), weights.recurrent, bias: parameters.recurrentBias, accumulate: false,
                into: recurrent.view)
            switch cell {
            case .lstm: lstmForward(step)
            case .gru: gruForward(step)
            case .rnn: elmanForward(step)
            }
            if let separateOutput { slot(step, of: separateOutput).copy(slot(step + 1, of: states)) }
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
        learning.cellGradient.view.clear()
        for step in (0..<steps).reversed() {
            // What the cell hands back past the product, and then the product, are added to the step before.
            let below = step > 0 ? slot(step - 1, of: learning.outputGradient) : learning.setAside.view
            for reset in resets where reset.step == step {
                row(reset, of: learning.setAside.view).copy(row(reset, of: below))
            }
            switch cell {
            case .lstm: lstmBackward(step, learning)
            case .gru: gruBackward(step, learning, below: below)
            case .rnn: elmanBackward(step, learning)
            }
            guard step > 0 else { break }
            kernels.product(
                slot(step, of: recurrentGradient), weights.recurrentBackward!, bias: nil, accumulate: true, into: below)
            for reset in resets where reset.step == step {
                row(reset, of: below).copy(row(reset, of: learning.setAside.view))
                if cell == .lstm { row(reset, of: learning.cellGradient.view).clear() }
            }
        }
        if let inputGradient {
            kernels.product(
                gateValues.view.rows(0..<steps * lanes), weights.inputBackward!, bias: nil, accumulate: false,
                into: inputGradient)
        }
        kernels.pack(states.view.rows(0..<(steps + 1) * lanes), into: learning.packedStates)
        if let packed = learning.packedOutput {
            kernels.pack(output(steps), into: packed)
        }
    }

    /// The gradient of the recurrent part of the pre-activations [T B, GH]; the input's own but for the GRU.
    var recurrentGradient: Matrix<Scalar> { cell == .gru ? learning!.recurrentGradient : gateValues }

    /// What the layer above reads, packed, and the row from which on it stands there.
    var packedOutput: (matrix: PackedMatrix<Scalar>, from: Int) {
        learning!.packedOutput.map { ($0, 0) } ?? (learning!.packedStates, lanes)
    }

    private func row(_ reset: Reset, of view: MatrixView<Scalar>) -> MatrixView<Scalar> {
        view.rows(reset.lane..<reset.lane + 1)
    }

    private func clear(_ row: Int) {
        states.view.rows(row..<row + 1).clear()
        if cell == .lstm { cellStates.view.rows(row..<row + 1).clear() }
    }
}
