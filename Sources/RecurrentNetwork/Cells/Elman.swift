import LinearAlgebra

extension CellKind {
    /// Simple recurrent network.
    public static let rnn = CellKind(Elman())
}

/// The simple recurrent network (Elman 1990). The kernels document the equations.
struct Elman: RecurrentCell {
    let name = "rnn"
    let title = "simple recurrent network (Elman 1990)"
    let states = ["hidden"]
    let gates = ["hidden"]
    let uses: Set<CellOption> = [.nonlinearity, .weightDropout]
    let learningRates = (small: 0.002, large: 0.002)

    fileprivate enum Tensor {
        static let (inputWeight, recurrentWeight, inputBias, recurrentBias) = (0, 1, 2, 3)
    }

    func tensors(of layer: LayerShape) -> [LayerTensor] {
        [
            .inputWeight(gates: 1, layer), .recurrentWeight(gates: 1, layer), .bias("bias_ih", gates: [0], layer),
            .bias("bias_hh", gates: [0], layer),
        ]
    }

    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar> {
        ElmanWindow(self, shape, from: memory)
    }
}

private final class ElmanWindow<Scalar: KernelScalar>: CellWindow {
    private let buffers: StepBuffers<Scalar>
    private var nonlinearity: Nonlinearity { buffers.shape.layer.nonlinearity }
    var states: [Matrix<Scalar>] { buffers.states }
    var gateValues: Matrix<Scalar> { buffers.gateValues }
    var packedStates: PackedMatrix<Scalar> { buffers.packedStates }

    init(_ cell: Elman, _ shape: WindowShape, from memory: MemoryLedger) {
        buffers = StepBuffers(cell, shape, from: memory)
    }

    @specialized(where Scalar == Float)
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>) {
        buffers.project(
            steps, of: input, weight: weights[Elman.Tensor.inputWeight], bias: weights[Elman.Tensor.inputBias])
    }

    @specialized(where Scalar == Float)
    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>) {
        let (weight, bias) = (
            weights[Elman.Tensor.recurrentWeight].forward!, weights[Elman.Tensor.recurrentBias].parameter
        )
        let hidden = states[0]
        buffers.forward(run) { step in
            buffers.recur(step, weight: weight, bias: bias)
            Scalar.kernels.elmanForward(
                nonlinearity, gates: buffers.gates(step), recurrent: buffers.recurrent.view,
                hidden: buffers.slot(step + 1, of: hidden))
        }
    }

    @specialized(where Scalar == Float)
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?
    ) {
        let weight = weights[Elman.Tensor.recurrentWeight].backward!
        buffers.backward(run, outputGradient: outputGradient) { step, below in
            Scalar.kernels.elmanBackward(
                nonlinearity, gates: buffers.gates(step), hiddenGradient: buffers.slot(step, of: outputGradient))
            guard step > 0 else { return }
            Scalar.kernels.product(buffers.gates(step), weight, bias: nil, accumulate: true, into: below)
        }
        buffers.passDown(run.steps, weight: weights[Elman.Tensor.inputWeight], into: inputGradient)
    }

    @specialized(where Scalar == Float)
    func addGradient(to sum: GradientSum<Scalar>) {
        sum.take(gateValues, bias: Elman.Tensor.recurrentBias, gathered: Elman.Tensor.inputWeight)
        sum.addProduct(with: packedStates, to: Elman.Tensor.recurrentWeight)
        sum.addProductWithInput(to: Elman.Tensor.inputWeight)
        sum.copyBias(Elman.Tensor.recurrentBias, to: Elman.Tensor.inputBias)
    }
}
