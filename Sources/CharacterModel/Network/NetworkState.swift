import LinearAlgebra

/// What a network remembers between two windows: a value, so that an evaluation cannot disturb a training.
package struct NetworkState<Scalar: KernelScalar>: Sendable, Equatable {
    package let lanes: Int
    /// For each layer, h [B, H] in row-major order.
    package var hidden: [[Scalar]]
    /// For each layer of an LSTM, c [B, H]; empty for other cells.
    package var cell: [[Scalar]]

    /// The state at the beginning of a text: zero.
    package init(_ model: ModelConfiguration, lanes: Int) {
        self.lanes = lanes
        let zero = [Scalar](repeating: 0, count: lanes * model.hidden)
        hidden = Array(repeating: zero, count: model.layers)
        cell = model.cell == .lstm ? hidden : []
    }
}
