import LinearAlgebra

extension CellKind {
    /// Long short-term memory.
    public static let lstm = CellKind(LSTM())
}

/// Long short-term memory (Hochreiter & Schmidhuber 1997), with PyTorch's gates. The kernels document the equations.
///
/// The forget gate starts open: its bias in `bias_ih` is 1 (Jozefowicz, Zaremba & Sutskever 2015).
struct LSTM: RecurrentCell {
    let name = "lstm"
    let title = "long short-term memory (Hochreiter & Schmidhuber 1997)"
    let states = ["hidden", "cell"]
    let gates = ["input", "forget", "candidate", "output"]
    let valves = [0, 1, 3]
    let keeping: KeepingGate? = KeepingGate(gate: 1, isInverted: false)
    let uses: Set<CellOption> = [.weightDropout]
    let learningRates = (small: 0.004, large: 0.004)

    fileprivate enum Tensor {
        static let (inputWeight, recurrentWeight, inputBias, recurrentBias) = (0, 1, 2, 3)
    }

    func tensors(of layer: LayerShape) -> [LayerTensor] {
        [
            .inputWeight(gates: 4, layer), .recurrentWeight(gates: 4, layer),
            .bias("bias_ih", gates: [0, 1, 0, 0], layer), .bias("bias_hh", gates: [0, 0, 0, 0], layer),
        ]
    }

    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar> {
        LSTMWindow(self, shape, from: memory)
    }
}

private final class LSTMWindow<Scalar: KernelScalar>: CellWindow {
    private let buffers: StepBuffers<Scalar>
    /// [T B, H]: tanh(c'), for the backward pass.
    private let tanhCells: Matrix<Scalar>
    /// [B, H]: the gradient of c that a step passes to the previous one.
    private let cellGradient: Matrix<Scalar>
    var states: [Matrix<Scalar>] { buffers.states }
    var gateValues: Matrix<Scalar> { buffers.gateValues }
    var packedStates: PackedMatrix<Scalar> { buffers.packedStates }

    init(_ cell: LSTM, _ shape: WindowShape, from memory: MemoryLedger) {
        buffers = StepBuffers(cell, shape, from: memory)
        tanhCells = memory.matrix(shape.steps * shape.lanes, shape.layer.hidden)
        cellGradient = memory.matrix(shape.learns ? shape.lanes : 0, shape.layer.hidden)
    }

    @specialized(where Scalar == Float)
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>) {
        buffers.project(
            steps, of: input, weight: weights[LSTM.Tensor.inputWeight], bias: weights[LSTM.Tensor.inputBias])
    }

    @specialized(where Scalar == Float)
    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>) {
        let (weight, bias) = (
            weights[LSTM.Tensor.recurrentWeight].forward!, weights[LSTM.Tensor.recurrentBias].parameter
        )
        let (hidden, cell) = (states[0], states[1])
        buffers.forward(run) { step in
            buffers.recur(step, weight: weight, bias: bias)
            Scalar.kernels.lstmForward(
                gates: buffers.gates(step), recurrent: buffers.recurrent.view,
                previousCell: buffers.slot(step, of: cell), cell: buffers.slot(step + 1, of: cell),
                tanhCell: buffers.slot(step, of: tanhCells), hidden: buffers.slot(step + 1, of: hidden))
        }
    }

    /// The hidden gradient flows only through the product; the cell state carries the rest.
    @specialized(where Scalar == Float)
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?
    ) {
        let weight = weights[LSTM.Tensor.recurrentWeight].backward!
        let cell = states[1]
        buffers.backward(run, outputGradient: outputGradient, carried: [cellGradient]) { step, below in
            if let tap = run.tap {
                let total = totalCellGradient(step, outputGradient)
                withExtendedLifetime(total) { tap(step, 1, total.view) }
            }
            Scalar.kernels.lstmBackward(
                gates: buffers.gates(step), previousCell: buffers.slot(step, of: cell),
                tanhCell: buffers.slot(step, of: tanhCells), hiddenGradient: buffers.slot(step, of: outputGradient),
                cellGradient: cellGradient.view)
            guard step > 0 else { return }
            Scalar.kernels.product(buffers.gates(step), weight, bias: nil, accumulate: true, into: below)
        }
        buffers.passDown(run.steps, weight: weights[LSTM.Tensor.inputWeight], into: inputGradient)
    }

    /// The gradient of c' [B, H] through the next step and through h' = o tanh(c').
    private func totalCellGradient(_ step: Int, _ outputGradient: Matrix<Scalar>) -> Matrix<Scalar> {
        let (lanes, h) = (buffers.lanes, buffers.shape.layer.hidden)
        let total = Matrix<Scalar>(rows: lanes, columns: h)
        let (gates, tanh) = (buffers.gates(step), buffers.slot(step, of: tanhCells))
        let output = buffers.slot(step, of: outputGradient)
        for lane in 0..<lanes {
            for unit in 0..<h {
                let t = tanh[lane, unit]
                let through = output[lane, unit] * gates[lane, 3 * h + unit] * (1 - t * t)
                total.view[lane, unit] = cellGradient.view[lane, unit] + through
            }
        }
        return total
    }

    @specialized(where Scalar == Float)
    func addGradient(to sum: GradientSum<Scalar>) {
        sum.take(gateValues, bias: LSTM.Tensor.recurrentBias, gathered: LSTM.Tensor.inputWeight)
        sum.addProduct(with: packedStates, to: LSTM.Tensor.recurrentWeight)
        sum.addProductWithInput(to: LSTM.Tensor.inputWeight)
        sum.copyBias(LSTM.Tensor.recurrentBias, to: LSTM.Tensor.inputBias)
    }
}
