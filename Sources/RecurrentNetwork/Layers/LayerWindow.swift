import LinearAlgebra
import Randomness

/// One layer's part of a window: a cell's window, and what the layer adds to it: the dropout of its output, and the
/// gradient that reaches it.
final class LayerWindow<Scalar: KernelScalar>: Sendable {
    let cell: any CellWindow<Scalar>
    /// The cell's: see ``CellWindow/states``.
    let states: [Matrix<Scalar>]
    let lanes: Int
    /// [T B, H]: what the layer above reads, if it differs from the state: dropout changes the output, resets change
    /// the state.
    private let separateOutput: Matrix<Scalar>?
    /// The same, packed for the gradients of weights.
    private let packedOutput: PackedMatrix<Scalar>?
    /// [T B, H]: the gradient that reaches the output from above. The layer after the next one below has the same.
    let outputGradient: Matrix<Scalar>
    /// [B, H]: what the output is multiplied by at every step, where dropout is on.
    private let mask: Matrix<Scalar>?
    private let keep: Double

    /// - Parameter restarts: whether lanes may begin a text within a window.
    init(
        _ model: ModelConfiguration, layer: Int, _ shape: WindowShape, restarts: Bool,
        outputGradient: Matrix<Scalar>, from memory: MemoryLedger
    ) {
        let (h, rows) = (model.hidden, shape.steps * shape.lanes)
        let drops = shape.learns && model.dropout > 0
        let isSeparate = restarts || drops
        cell = model.cell.cell.makeWindow(shape, from: memory)
        states = cell.states
        lanes = shape.lanes
        separateOutput = isSeparate ? memory.matrix(rows, h) : nil
        // In bfloat16, a packed matrix can be read only from an even row on.
        let isPacked = isSeparate || (shape.precision == .bfloat16 && !lanes.isMultiple(of: 2))
        packedOutput = isPacked && shape.learns ? memory.packed(inner: rows, columns: h, shape.precision) : nil
        self.outputGradient = outputGradient
        mask = drops ? memory.matrix(lanes, h) : nil
        keep = 1 - model.dropout
    }

    /// What the layer above reads in the first steps [T B, H].
    func output(_ steps: Int) -> MatrixView<Scalar> {
        separateOutput?.view.rows(0..<steps * lanes) ?? states[0].view.rows(lanes..<(steps + 1) * lanes)
    }

    /// One of the cell's states before a step [B, H].
    func state(_ index: Int, before step: Int) -> MatrixView<Scalar> {
        states[index].view.rows(step * lanes..<(step + 1) * lanes)
    }

    /// Runs the steps of a window, whose input is projected; the state after it is left in the rows of step `steps`.
    ///
    /// - Parameter dropout: draws the mask of a training step; nil to read without dropout.
    @specialized(where Scalar == Float)
    func recur(
        steps: Int, resets: [Reset], input: LayerInput<Scalar>, weights: LayerWeights<Scalar>, dropout: SplitMix64?
    ) {
        cell.recur(
            WindowRun(steps: steps, resets: resets, input: input, output: separateOutput), weights: weights)
        guard var generator = dropout, let mask else { return }
        Scalar.kernels.fillDropoutMask(mask.view, keep: keep, using: &generator)
        multiply(output(steps), bySteps: mask)
    }

    /// Runs the steps backward.
    ///
    /// - Parameters:
    ///   - dropped: whether a mask was drawn.
    ///   - inputGradient: [T B, K]: receives the gradient of the input.
    @specialized(where Scalar == Float)
    func backward(
        steps: Int, resets: [Reset], input: LayerInput<Scalar>, weights: LayerWeights<Scalar>, dropped: Bool,
        inputGradient: MatrixView<Scalar>?, tap: StateGradientTap<Scalar>? = nil
    ) {
        if dropped, let mask { multiply(outputGradient.view.rows(0..<steps * lanes), bySteps: mask) }
        cell.backward(
            WindowRun(steps: steps, resets: resets, input: input, output: separateOutput, tap: tap), weights: weights,
            outputGradient: outputGradient, inputGradient: inputGradient)
        if let packedOutput { Scalar.kernels.pack(output(steps), into: packedOutput) }
    }

    private func multiply(_ values: MatrixView<Scalar>, bySteps mask: Matrix<Scalar>) {
        for first in stride(from: 0, to: values.rows, by: lanes) {
            Scalar.kernels.multiply(values.rows(first..<first + lanes), by: mask.view)
        }
    }

    /// What the layer above reads, packed, and the row at which it starts.
    var gradientInput: GradientInput<Scalar> {
        packedOutput.map { .packed($0, from: 0) } ?? .packed(cell.packedStates, from: lanes)
    }
}
