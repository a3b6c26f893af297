import LinearAlgebra

/// A model's parameters, or their gradient, or an optimizer's moment: one arena and the views into it.
package final class Parameters<Scalar: KernelScalar>: Sendable {
    package let layout: ParameterLayout
    /// All parameters in one row, the gaps (always zero) included.
    package let arena: Matrix<Scalar>
    /// [V, E], where the input is embedded.
    package let encoder: MatrixView<Scalar>?
    /// [(N - 1) R, E]: R rows for the n-grams of each length from 2 to N, where n-grams are embedded.
    package let ngrams: MatrixView<Scalar>?
    /// For each layer, its tensors in the cell's order: [N, K], [K, N] for a one-hot input weight, [1, N] for a bias.
    package let layers: [[MatrixView<Scalar>]]
    /// [V, H].
    package let decoderWeight: MatrixView<Scalar>
    /// [1, V].
    package let decoderBias: MatrixView<Scalar>

    /// All zero.
    package init(_ model: ModelConfiguration) {
        let layout = ParameterLayout(model)
        let arena = Matrix<Scalar>(rows: 1, columns: layout.count)
        func view(_ entry: ParameterLayout.Entry) -> MatrixView<Scalar> {
            arena.view.part(entry.offset, rows: entry.rows, columns: entry.columns)
        }
        self.layout = layout
        self.arena = arena
        encoder = model.isOneHot ? nil : view(layout.entries[0])
        ngrams = model.embedsNgrams ? view(layout.entries[1]) : nil
        layers = (0..<model.layers).map { layout.entries(ofLayer: $0).map(view) }
        decoderWeight = view(layout.entries[layout.entries.count - 2])
        decoderBias = view(layout.entries[layout.entries.count - 1])
    }

    /// Everything as one row, the gaps (always zero) included.
    package var all: MatrixView<Scalar> { arena.view }

    /// For a tied embedding: adds up the gradients of both uses, and stores the sum in both places.
    func tie() {
        guard let encoder else { preconditionFailure("a one-hot input cannot be tied") }
        for row in 0..<encoder.rows {
            for column in 0..<encoder.columns { decoderWeight[row, column] += encoder[row, column] }
        }
        encoder.copy(decoderWeight)
    }

    /// A copy with its own memory.
    package func copy(_ model: ModelConfiguration) -> Parameters<Scalar> {
        let copy = Parameters(model)
        copy.all.copy(all)
        return copy
    }

    /// All elements in the order of the arena.
    package var elements: [Scalar] { arena.elements }

    /// Whether the gaps between parameters are still zero: checked in debug builds.
    var gapsAreZero: Bool {
        zip(layout.entries, layout.entries.dropFirst().map(\.offset) + [layout.count]).allSatisfy { entry, end in
            (entry.offset + entry.rows * entry.columns..<end).allSatisfy { arena.view[0, $0] == 0 }
        }
    }

    /// The parameter of an entry of the layout.
    package subscript(entry: ParameterLayout.Entry) -> MatrixView<Scalar> {
        arena.view.part(entry.offset, rows: entry.rows, columns: entry.columns)
    }

    /// The elements of a parameter in PyTorch's order.
    package func elements(of entry: ParameterLayout.Entry) -> [Scalar] {
        let stored = self[entry].elements
        return entry.isTransposed ? transpose(stored, rows: entry.rows, columns: entry.columns) : stored
    }

    /// Sets a parameter from elements in PyTorch's order.
    package func assign(_ elements: [Scalar], to entry: ParameterLayout.Entry) {
        let stored =
            entry.isTransposed ? transpose(elements, rows: entry.columns, columns: entry.rows) : elements
        self[entry].assign(stored)
    }
}

private func transpose<Scalar: KernelScalar>(_ elements: [Scalar], rows: Int, columns: Int) -> [Scalar] {
    precondition(elements.count == rows * columns, "\(elements.count) elements for \(rows) x \(columns)")
    return [Scalar](unsafeUninitializedCapacity: rows * columns) { buffer, count in
        for column in 0..<columns {
            for row in 0..<rows { buffer[column * rows + row] = elements[row * columns + column] }
        }
        count = rows * columns
    }
}
