import LinearAlgebra

/// One layer's buffers and arithmetic of a window: T steps of B lanes. The rows of step t are `t B ..< (t + 1) B`.
package protocol CellWindow<Scalar>: AnyObject, Sendable {
    associatedtype Scalar: KernelScalar

    /// For each of the cell's states [(T + 1) B, H]: before each step, and after the last. The rows of step 0 are set before a
    /// window; the first state, a step later, is the output.
    var states: [Matrix<Scalar>] { get }
    /// [T B, GH]: the gate activations, after ``recur(_:weights:)``; gradients after
    /// ``backward(_:weights:outputGradient:inputGradient:)``.
    var gateValues: Matrix<Scalar> { get }
    /// The first state, packed, after the window has run backward.
    var packedStates: PackedMatrix<Scalar> { get }

    /// Computes what depends only on the input of some steps, before the state is known: in any parts, on any threads.
    /// A cell that changes its input by its state does nothing here and everything in ``recur(_:weights:)``, which
    /// receives the input again.
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>)

    /// Runs the steps, whose input is projected, from the states in the rows of step 0.
    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>)

    /// Runs the steps backward. Gradients are cut at the window's start and at resets.
    ///
    /// - Parameters:
    ///   - outputGradient: [T B, H]: on entry, the gradient that reaches the output from above; undefined on return.
    ///   - inputGradient: [T B, K]: receives the gradient of the input; nil if it is not needed.
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?)

    /// Adds this window's part of a task to the sum, after the window has run backward.
    func addGradient(to sum: GradientSum<Scalar>)
}

/// What a layer reads.
package enum LayerInput<Scalar: KernelScalar> {
    /// One-hot: ids [1, T B].
    case ids(MatrixView<Int32>)
    /// [T B, K].
    case matrix(MatrixView<Scalar>)
}

/// A point in a window where a lane begins a new text: its state is zero before that step.
package struct Reset: Sendable, Equatable {
    package var step: Int
    package var lane: Int

    package init(step: Int, lane: Int) {
        self.step = step
        self.lane = lane
    }
}

/// The arguments of a window's run.
package struct WindowRun<Scalar: KernelScalar> {
    /// The number of steps, at most the window's T.
    package let steps: Int
    package let resets: [Reset]
    /// The whole input that ``CellWindow/project(_:of:weights:)`` received.
    package let input: LayerInput<Scalar>
    /// [T B, H]: receives the output too, before a reset clears it; nil in windows without resets past the first step.
    package let output: Matrix<Scalar>?
    /// Called by ``CellWindow/backward(_:weights:outputGradient:inputGradient:)`` at each step, from the last to the first.
    package var tap: StateGradientTap<Scalar>?
}

/// Receives the gradient [B, H] of one of a cell's states after a step, through every path: that of the first state (the output), and
/// that of each other one, of which the step's output is a function.
package typealias StateGradientTap<Scalar: KernelScalar> = (
    _ step: Int, _ state: Int, _ gradient: MatrixView<Scalar>
) -> Void

/// One tensor of a layer, and its packed copies for products.
package struct Weight<Scalar: KernelScalar>: Sendable {
    /// As ``Parameters`` has it: [N, K], or [K, N] where rows are gathered; a bias [1, N].
    package let parameter: MatrixView<Scalar>
    /// Transposed [K, N]; nil for a bias, and where rows are gathered.
    package let forward: PackedMatrix<Scalar>?
    /// [N, K], for the backward pass; nil as above, and in a network for inference only.
    package let backward: PackedMatrix<Scalar>?
}

/// The weights of a layer, in the order of the cell's tensors.
package struct LayerWeights<Scalar: KernelScalar>: Sendable {
    package let tensors: [Weight<Scalar>]

    package subscript(index: Int) -> Weight<Scalar> { tensors[index] }
}

/// What the weights of a layer's input are multiplied by when their gradient is summed.
package enum GradientInput<Scalar: KernelScalar> {
    /// One-hot: ids [1, T B].
    case ids(MatrixView<Int32>)
    /// Packed, from a row on.
    case packed(PackedMatrix<Scalar>, from: Int)
}

/// The sum of one task's gradients over windows: what a window adds its part to.
package struct GradientSum<Scalar: KernelScalar> {
    package let task: GradientTask
    /// T B of the window that is added.
    package let rows: Int
    /// The gradient of the layer's tensors.
    package let gradient: [MatrixView<Scalar>]
    package let input: GradientInput<Scalar>
    /// [T B, 128]: holds the packed operand of the products.
    package let scratch: PackedMatrix<Scalar>
    /// Whether the sum continues from what is already there; otherwise it starts at zero.
    package let accumulates: Bool

    /// Packs the task's columns of the gradient of pre-activations [T B, N] for the products, and sums them up as the
    /// gradient of a bias, and of an input weight whose rows are gathered.
    ///
    /// - Parameters:
    ///   - bias: the index of its tensor; nil for none.
    ///   - gathered: the index of the input weight; nil if these are not its pre-activations.
    package func take(_ values: Matrix<Scalar>, bias: Int?, gathered: Int?) {
        let sums = bias.map { gradient[$0].columns(task.outputs) }
        if !accumulates { sums?.clear() }
        var scatter: (ids: MatrixView<Int32>, table: MatrixView<Scalar>)?
        if let gathered, case .ids(let ids) = input {
            let table = gradient[gathered].columns(task.outputs)
            if !accumulates { table.clear() }
            scatter = (ids.columns(0..<rows), table)
        }
        Scalar.kernels.pack(
            values.view.rows(0..<rows).columns(task.outputs), into: scratch, fromPanel: 0, sums: sums,
            scatter: scatter)
    }

    /// Adds the product of the packed columns with `values`, from a row on, to the gradient of a tensor.
    package func addProduct(with values: PackedMatrix<Scalar>, from first: Int = 0, to tensor: Int) {
        Scalar.kernels.product(
            transposed: scratch, values, from: first, inner: rows, accumulate: accumulates,
            into: gradient[tensor].rows(task.outputs))
    }

    /// Adds the product of the packed columns with the layer's input to the gradient of a tensor; gathered rows are
    /// already done.
    package func addProductWithInput(to tensor: Int) {
        if case .packed(let values, let first) = input { addProduct(with: values, from: first, to: tensor) }
    }

    /// Copies the gradient of one bias to another one that is added at the same place.
    package func copyBias(_ source: Int, to target: Int) {
        gradient[target].columns(task.outputs).copy(gradient[source].columns(task.outputs))
    }
}
