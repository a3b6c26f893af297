import LinearAlgebra

/// Shared by cells that are computed step by step: their buffers, and the loops over steps, which handle resets.
final class StepBuffers<Scalar: KernelScalar>: Sendable {
    let shape: WindowShape
    var lanes: Int { shape.lanes }
    /// For each state, [(T + 1) B, H].
    let states: [Matrix<Scalar>]
    /// [T B, GH]: pre-activations of the input, then activations, then (in the backward pass) gradients.
    let gateValues: Matrix<Scalar>
    /// [B, GH]: one step's recurrent part, for cells that have one.
    let recurrent: Matrix<Scalar>
    /// [B, H]: rows saved at a reset from the gradient that the next step passes back.
    private let setAside: Matrix<Scalar>
    let packedStates: PackedMatrix<Scalar>

    init(_ cell: some RecurrentCell, _ shape: WindowShape, from memory: MemoryLedger, isRecurrent: Bool = true) {
        let (b, t, h) = (shape.lanes, shape.steps, shape.layer.hidden)
        self.shape = shape
        states = cell.states.map { _ in memory.matrix((t + 1) * b, h) }
        gateValues = memory.matrix(t * b, cell.gates.count * h)
        recurrent = memory.matrix(isRecurrent ? b : 0, cell.gates.count * h)
        setAside = memory.matrix(shape.learns ? b : 0, h)
        packedStates = memory.packed(inner: shape.learns ? (t + 1) * b : 0, columns: h, shape.precision)
    }

    /// The rows of one step.
    func slot(_ step: Int, of matrix: Matrix<Scalar>) -> MatrixView<Scalar> {
        matrix.view.rows(step * lanes..<(step + 1) * lanes)
    }

    func gates(_ step: Int) -> MatrixView<Scalar> { slot(step, of: gateValues) }

    /// The input's part of the pre-activations of some steps.
    @inline(__always)
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weight: Weight<Scalar>, bias: Weight<Scalar>) {
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        let target = gateValues.view.rows(rows)
        switch input {
        case .ids(let ids):
            Scalar.kernels.gather(ids.columns(rows), from: weight.parameter, bias: bias.parameter, into: target)
        case .matrix(let x):
            Scalar.kernels.product(
                x.rows(rows), weight.forward!, bias: bias.parameter, accumulate: false, into: target)
        }
    }

    /// The recurrent part of the pre-activations of one step, in ``recurrent``.
    @inline(__always)
    func recur(_ step: Int, weight: PackedMatrix<Scalar>, bias: MatrixView<Scalar>) {
        Scalar.kernels.product(
            slot(step, of: states[0]), weight, bias: bias, accumulate: false, into: recurrent.view)
    }

    /// Runs steps in order: clears states at resets, and copies the output if the layer above needs a copy.
    @inline(__always)
    func forward(_ run: WindowRun<Scalar>, _ body: (_ step: Int) -> Void) {
        for step in 0..<run.steps {
            for reset in run.resets where reset.step == step {
                precondition(step == 0 || run.output != nil, "a reset in a window created without resets")
                let row = step * lanes + reset.lane
                for state in states { state.view.rows(row..<row + 1).clear() }
            }
            body(step)
            if let output = run.output { slot(step, of: output).copy(slot(step + 1, of: states[0])) }
        }
    }

    /// Runs steps in reverse order.
    ///
    /// - Parameters:
    ///   - carried: [B, H]: gradients that a step passes to the previous one, besides that of the output.
    ///   - body: adds to `below` the gradient of the previous step's output; at the first step that is discarded, so
    ///     products can be skipped.
    @inline(__always)
    func backward(
        _ run: WindowRun<Scalar>, outputGradient: Matrix<Scalar>, carried: [Matrix<Scalar>] = [],
        _ body: (_ step: Int, _ below: MatrixView<Scalar>) -> Void
    ) {
        precondition(shape.learns, "this window is for inference only")
        for gradient in carried { gradient.view.clear() }
        for step in (0..<run.steps).reversed() {
            let below = step > 0 ? slot(step - 1, of: outputGradient) : setAside.view
            for reset in run.resets where reset.step == step {
                row(reset, of: setAside.view).copy(row(reset, of: below))
            }
            run.tap?(step, 0, slot(step, of: outputGradient))
            body(step, below)
            guard step > 0 else { break }
            for reset in run.resets where reset.step == step {
                row(reset, of: below).copy(row(reset, of: setAside.view))
                for gradient in carried { row(reset, of: gradient.view).clear() }
            }
        }
        Scalar.kernels.pack(states[0].view.rows(0..<(run.steps + 1) * lanes), into: packedStates)
    }

    /// The gradient of the input from that of its part of the pre-activations.
    @inline(__always)
    func passDown(_ steps: Int, weight: Weight<Scalar>, into inputGradient: MatrixView<Scalar>?) {
        guard let inputGradient else { return }
        Scalar.kernels.product(
            gateValues.view.rows(0..<steps * lanes), weight.backward!, bias: nil, accumulate: false,
            into: inputGradient)
    }

    private func row(_ reset: Reset, of view: MatrixView<Scalar>) -> MatrixView<Scalar> {
        view.rows(reset.lane..<reset.lane + 1)
    }
}
