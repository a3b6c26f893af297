import LinearAlgebra

/// The states of some lanes between two windows.
package final class LaneStates<Scalar: KernelScalar>: Sendable {
    package let lanes: Int
    /// For each layer, and each of the cell's states, [B, H].
    private let layers: [[Matrix<Scalar>]]

    /// Zero.
    package init(_ model: ModelConfiguration, lanes: Int) {
        self.lanes = lanes
        layers = (0..<model.layers).map { _ in
            model.cell.cell.states.map { _ in Matrix(rows: lanes, columns: model.hidden) }
        }
    }

    private init(copying other: LaneStates) {
        lanes = other.lanes
        layers = other.layers.map { states in
            states.map { Matrix(rows: $0.view.rows, columns: $0.view.columns, $0.elements) }
        }
    }

    package func copy() -> LaneStates { LaneStates(copying: self) }

    package func clear() { for state in layers.joined() { state.view.clear() } }

    /// The same as a value.
    func value(_ model: ModelConfiguration) -> NetworkState<Scalar> {
        var state = NetworkState<Scalar>(model, lanes: lanes)
        for (layer, states) in layers.enumerated() {
            for (index, matrix) in states.enumerated() { state.values[index][layer] = matrix.elements }
        }
        return state
    }

    func set(_ state: NetworkState<Scalar>) {
        for (layer, states) in layers.enumerated() {
            for (index, matrix) in states.enumerated() { matrix.view.assign(state.values[index][layer]) }
        }
    }

    /// Passes each state with its layer and its number.
    @inline(__always)
    fileprivate func visit(_ body: (_ layer: Int, _ state: Int, MatrixView<Scalar>) -> Void) {
        for (layer, states) in layers.enumerated() {
            for (index, matrix) in states.enumerated() { body(layer, index, matrix.view) }
        }
    }
}

extension Shard {
    /// Begins a window with these states, in some or all of the lanes.
    ///
    /// - Parameter lane: the first of the lanes.
    @specialized(where Scalar == Float)
    package func begin(with states: LaneStates<Scalar>, lane: Int = 0) {
        let rows = lane..<lane + states.lanes
        states.visit { layer, state, saved in layers[layer].state(state, before: 0).rows(rows).copy(saved) }
    }

    /// Takes the states after the steps of a window.
    @specialized(where Scalar == Float)
    package func end(_ steps: Int, into states: LaneStates<Scalar>, lane: Int = 0) {
        let rows = lane..<lane + states.lanes
        states.visit { layer, state, saved in saved.copy(layers[layer].state(state, before: steps).rows(rows)) }
    }
}
