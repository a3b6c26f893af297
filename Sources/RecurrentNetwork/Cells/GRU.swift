import LinearAlgebra

extension CellKind {
    /// Gated recurrent unit.
    public static let gru = CellKind(GRU())
}

/// Gated recurrent unit (Cho et al. 2014), as in PyTorch. The kernels document the equations.
///
/// The reset gate is between the recurrent product and the candidate, so the two sides have separate gradients.
struct GRU: RecurrentCell {
    let name = "gru"
    let title = "gated recurrent unit (Cho et al. 2014)"
    let states = ["hidden"]
    let gates = ["reset", "update", "candidate"]
    let valves = [0, 1]
    let keeping: KeepingGate? = KeepingGate(gate: 1, isInverted: false)
    let uses: Set<CellOption> = [.weightDropout]
    let learningRates = (small: 0.003, large: 0.002)

    fileprivate enum Tensor {
        static let (inputWeight, recurrentWeight, inputBias, recurrentBias) = (0, 1, 2, 3)
    }

    func tensors(of layer: LayerShape) -> [LayerTensor] {
        [
            .inputWeight(gates: 3, layer), .recurrentWeight(gates: 3, layer),
            .bias("bias_ih", gates: [0, 0, 0], layer), .bias("bias_hh", gates: [0, 0, 0], layer),
        ]
    }

    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar> {
        GRUWindow(self, shape, from: memory)
    }
}

private final class GRUWindow<Scalar: KernelScalar>: CellWindow {
    private let buffers: StepBuffers<Scalar>
    /// [T B, H]: the recurrent part of the candidate, for the backward pass.
    private let candidates: Matrix<Scalar>
    /// [T B, 3H]: the gradient of the recurrent part of the pre-activations.
    private let recurrentGradient: Matrix<Scalar>
    var states: [Matrix<Scalar>] { buffers.states }
    var gateValues: Matrix<Scalar> { buffers.gateValues }
    var packedStates: PackedMatrix<Scalar> { buffers.packedStates }

    init(_ cell: GRU, _ shape: WindowShape, from memory: MemoryLedger) {
        buffers = StepBuffers(cell, shape, from: memory)
        let rows = shape.steps * shape.lanes
        candidates = memory.matrix(rows, shape.layer.hidden)
        recurrentGradient = memory.matrix(shape.learns ? rows : 0, 3 * shape.layer.hidden)
    }

    @specialized(where Scalar == Float)
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>) {
        buffers.project(steps, of: input, weight: weights[GRU.Tensor.inputWeight], bias: weights[GRU.Tensor.inputBias])
    }

    @specialized(where Scalar == Float)
    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>) {
        let (weight, bias) = (
            weights[GRU.Tensor.recurrentWeight].forward!, weights[GRU.Tensor.recurrentBias].parameter
        )
        let hidden = states[0]
        buffers.forward(run) { step in
            buffers.recur(step, weight: weight, bias: bias)
            Scalar.kernels.gruForward(
                gates: buffers.gates(step), recurrent: buffers.recurrent.view,
                previous: buffers.slot(step, of: hidden), candidate: buffers.slot(step, of: candidates),
                hidden: buffers.slot(step + 1, of: hidden))
        }
    }

    @specialized(where Scalar == Float)
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?
    ) {
        let weight = weights[GRU.Tensor.recurrentWeight].backward!
        let hidden = states[0]
        buffers.backward(run, outputGradient: outputGradient) { step, below in
            let gradient = buffers.slot(step, of: recurrentGradient)
            Scalar.kernels.gruBackward(
                gates: buffers.gates(step), candidate: buffers.slot(step, of: candidates),
                previous: buffers.slot(step, of: hidden), hiddenGradient: buffers.slot(step, of: outputGradient),
                recurrentGradient: gradient, previousGradient: below)
            guard step > 0 else { return }
            Scalar.kernels.product(gradient, weight, bias: nil, accumulate: true, into: below)
        }
        buffers.passDown(run.steps, weight: weights[GRU.Tensor.inputWeight], into: inputGradient)
    }

    @specialized(where Scalar == Float)
    func addGradient(to sum: GradientSum<Scalar>) {
        sum.take(recurrentGradient, bias: GRU.Tensor.recurrentBias, gathered: nil)
        sum.addProduct(with: packedStates, to: GRU.Tensor.recurrentWeight)
        sum.take(gateValues, bias: GRU.Tensor.inputBias, gathered: GRU.Tensor.inputWeight)
        sum.addProductWithInput(to: GRU.Tensor.inputWeight)
    }
}
