import LinearAlgebra

extension CellKind {
    /// Minimal gated recurrent unit.
    public static let mingru = CellKind(MinGRU())
}

/// The minimal gated recurrent unit (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024), in its plain form, step by step.
/// The kernels document the equations.
///
/// Gate and candidate come from the input alone, so there are no recurrent weights, and one bias. `weight_ih` [2H, K] and
/// `bias_ih` [2H] hold the gate z, then the candidate.
struct MinGRU: RecurrentCell {
    let name = "mingru"
    let title = "minimal gated recurrent unit (Feng et al. 2024)"
    let states = ["hidden"]
    let gates = ["update", "candidate"]
    let valves = [0]
    let keeping: KeepingGate? = KeepingGate(gate: 0, isInverted: true)
    let uses: Set<CellOption> = []
    let learningRates = (small: 0.004, large: 0.004)

    fileprivate enum Tensor {
        static let (inputWeight, inputBias) = (0, 1)
    }

    func tensors(of layer: LayerShape) -> [LayerTensor] {
        [.inputWeight(gates: 2, layer), .bias("bias_ih", gates: [0, 0], layer)]
    }

    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar> {
        MinGRUWindow(self, shape, from: memory)
    }
}

private final class MinGRUWindow<Scalar: KernelScalar>: CellWindow {
    private let buffers: StepBuffers<Scalar>
    var states: [Matrix<Scalar>] { buffers.states }
    var gateValues: Matrix<Scalar> { buffers.gateValues }
    var packedStates: PackedMatrix<Scalar> { buffers.packedStates }

    init(_ cell: MinGRU, _ shape: WindowShape, from memory: MemoryLedger) {
        buffers = StepBuffers(cell, shape, from: memory, isRecurrent: false)
    }

    @specialized(where Scalar == Float)
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>) {
        buffers.project(
            steps, of: input, weight: weights[MinGRU.Tensor.inputWeight], bias: weights[MinGRU.Tensor.inputBias])
    }

    @specialized(where Scalar == Float)
    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>) {
        let hidden = states[0]
        buffers.forward(run) { step in
            Scalar.kernels.minGRUForward(
                gates: buffers.gates(step), previous: buffers.slot(step, of: hidden),
                hidden: buffers.slot(step + 1, of: hidden))
        }
    }

    @specialized(where Scalar == Float)
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?
    ) {
        let hidden = states[0]
        buffers.backward(run, outputGradient: outputGradient) { step, below in
            Scalar.kernels.minGRUBackward(
                gates: buffers.gates(step), previous: buffers.slot(step, of: hidden),
                hiddenGradient: buffers.slot(step, of: outputGradient), previousGradient: below)
        }
        buffers.passDown(run.steps, weight: weights[MinGRU.Tensor.inputWeight], into: inputGradient)
    }

    @specialized(where Scalar == Float)
    func addGradient(to sum: GradientSum<Scalar>) {
        sum.take(gateValues, bias: MinGRU.Tensor.inputBias, gathered: MinGRU.Tensor.inputWeight)
        sum.addProductWithInput(to: MinGRU.Tensor.inputWeight)
    }
}
