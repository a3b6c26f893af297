import LinearAlgebra

/// The states of a network between two windows: a value, so that an evaluation cannot disturb a training.
package struct NetworkState<Scalar: KernelScalar>: Sendable, Equatable {
    package let lanes: Int
    /// The names of the cell's states.
    package let names: [String]
    /// For each of the cell's states and each layer, [B, H] in row-major order.
    package var values: [[[Scalar]]]

    /// The state at the beginning of a text: zero.
    package init(_ model: ModelConfiguration, lanes: Int) {
        self.lanes = lanes
        names = model.cell.cell.states
        let zero = [Scalar](repeating: 0, count: lanes * model.hidden)
        values = names.map { _ in Array(repeating: zero, count: model.layers) }
    }

    /// The states of some lanes.
    package subscript(lanes range: Range<Int>) -> NetworkState {
        precondition(range.lowerBound >= 0 && range.upperBound <= lanes, "lanes \(range) of \(lanes)")
        return NetworkState(
            lanes: range.count, names: names,
            values: values.map { layers in
                layers.map { elements in
                    let size = elements.count / lanes
                    return Array(elements[range.lowerBound * size..<range.upperBound * size])
                }
            })
    }

    /// Joins the states of consecutive lanes of one model.
    package init(joining parts: [NetworkState]) {
        self.init(
            lanes: parts.reduce(0) { $0 + $1.lanes }, names: parts[0].names,
            values: parts[0].values.indices.map { state in
                parts[0].values[state].indices.map { layer in parts.flatMap { $0.values[state][layer] } }
            })
    }

    /// All elements in order: state by state, layer by layer.
    package var elements: [Scalar] { values.flatMap { $0.flatMap(\.self) } }

    /// The states with these elements.
    package init(_ model: ModelConfiguration, lanes: Int, elements: [Scalar]) {
        self.init(model, lanes: lanes)
        let size = lanes * model.hidden
        precondition(elements.count == names.count * model.layers * size, "\(elements.count) elements")
        for state in values.indices {
            for layer in values[state].indices {
                let first = (state * model.layers + layer) * size
                values[state][layer] = Array(elements[first..<first + size])
            }
        }
    }

    private init(lanes: Int, names: [String], values: [[[Scalar]]]) {
        (self.lanes, self.names, self.values) = (lanes, names, values)
    }
}
