import LinearAlgebra

/// A recurrent cell: everything the rest of the code needs to know about one.
///
/// A cell is one type in a file of its own. The unit of its work is the window: T steps of B lanes. Most cells are computed
/// step by step, with ``StepBuffers``; a cell may also compute a window at once (a scan), or change its input by its state.
package protocol RecurrentCell: Sendable {
    /// The name on the command line and in checkpoints.
    var name: String { get }
    /// The full name, with its source.
    var title: String { get }
    /// The states of a layer, by name, each [B, H]; the first is its output.
    var states: [String] { get }
    /// The gates: gate k of a step is in the columns `k H ..< (k + 1) H` of ``CellWindow/gateValues``.
    var gates: [String] { get }
    /// The indices of those gates that are between 0 and 1.
    var valves: [Int] { get }
    /// The gate that decides how much of a state is kept; nil for a cell without one.
    var keeping: KeepingGate? { get }
    /// The model options that it uses.
    var uses: Set<CellOption> { get }
    /// Whether it computes with its input as a vector. Then a one-hot input, whose weights are gathered, is refused.
    var needsEmbedding: Bool { get }
    /// The full learning rate for a model of 384 units, and for one of two layers (`docs/defaults.md`).
    var learningRates: (small: Double, large: Double) { get }

    /// The tensors of a layer, in PyTorch's order.
    func tensors(of layer: LayerShape) -> [LayerTensor]
    /// How the gradient sums of a layer are split into tasks: always the same, whatever the number of threads. Tasks
    /// run concurrently, so no two of them share outputs of a tensor; ``CellWindow/addGradient(to:)`` receives the
    /// task.
    func gradientTasks(of layer: LayerShape) -> [GradientTask]
    /// The buffers of a window, all taken from `memory`.
    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar>
}

/// A model option that not every cell uses.
package enum CellOption: String, Sendable {
    case nonlinearity
    case weightDropout = "weight-dropout"
}

/// The sizes of one layer.
package struct LayerShape: Sendable, Equatable {
    /// K: the length of its input; V for a one-hot input.
    package var input: Int
    /// H.
    package var hidden: Int
    /// Whether its input is one-hot, so that rows of the weights are gathered instead of multiplied.
    package var isOneHot: Bool
    /// For the cells that use it.
    package var nonlinearity: Nonlinearity
}

/// The sizes of a window of one layer.
package struct WindowShape: Sendable {
    package var layer: LayerShape
    /// B.
    package var lanes: Int
    /// T, at most.
    package var steps: Int
    /// Whether it can run backward.
    package var learns: Bool
    /// Of the weights.
    package var precision = Precision.float32
}

/// One tensor of a layer.
package struct LayerTensor: Sendable, Equatable {
    package enum Role: Sendable, Equatable {
        /// [N, K]: of the layer's input; stored as [K, N] where that is one-hot.
        case inputWeight
        /// [N, H]: of a state. Weight dropout drops these.
        case recurrentWeight
        /// [N].
        case bias
    }

    /// As in PyTorch, without the layer: `weight_ih`.
    package var name: String
    package var role: Role
    /// N: the number of its outputs, usually GH.
    package var outputs: Int
    package var initialization: Initialization

    /// W_ih [GH, K]: uniform by fan-in and fan-out of each gate, or where the input is one-hot, within 1/sqrt(H), since one row
    /// is active at a time.
    package static func inputWeight(gates: Int, _ layer: LayerShape) -> LayerTensor {
        let h = Double(layer.hidden)
        return LayerTensor(
            name: "weight_ih", role: .inputWeight, outputs: gates * layer.hidden,
            initialization: .uniform(
                within: layer.isOneHot ? 1 / h.squareRoot() : (6 / (Double(layer.input) + h)).squareRoot()))
    }

    /// W_hh [GH, H]: orthogonal for each gate.
    package static func recurrentWeight(gates: Int, _ layer: LayerShape) -> LayerTensor {
        LayerTensor(
            name: "weight_hh", role: .recurrentWeight, outputs: gates * layer.hidden, initialization: .orthogonal)
    }

    /// [GH]: a constant for each gate.
    package static func bias(_ name: String, gates: [Double], _ layer: LayerShape) -> LayerTensor {
        LayerTensor(
            name: name, role: .bias, outputs: gates.count * layer.hidden, initialization: .constants(gates))
    }
}

/// A part of a layer's gradient that is summed on its own: some of the outputs of some of its tensors.
package struct GradientTask: Sendable, Equatable {
    /// Indices into the layer's tensors.
    package var tensors: [Int]
    package var outputs: Range<Int>

    /// The maximum number of outputs of a task.
    package static let size = 128
}

/// A gate whose value is the share of the state that a step keeps.
package struct KeepingGate: Sendable, Equatable {
    /// Its index.
    package var gate: Int
    /// Whether the share is 1 less its value.
    package var isInverted: Bool
}

extension RecurrentCell {
    package var valves: [Int] { [] }
    package var keeping: KeepingGate? { nil }
    package var needsEmbedding: Bool { false }

    /// Pieces of 128 outputs of all tensors together.
    ///
    /// - Requires: tensors with the same number of outputs. Other cells must define their own tasks.
    package func gradientTasks(of layer: LayerShape) -> [GradientTask] {
        let tensors = tensors(of: layer)
        precondition(Set(tensors.map(\.outputs)).count == 1, "the \(name) cell must define its own gradient tasks")
        return pieces(of: tensors[0].outputs).map { GradientTask(tensors: Array(tensors.indices), outputs: $0) }
    }
}

/// `0..<length` in pieces of ``GradientTask/size``.
package func pieces(of length: Int) -> [Range<Int>] {
    stride(from: 0, to: length, by: GradientTask.size).map { $0..<min($0 + GradientTask.size, length) }
}
