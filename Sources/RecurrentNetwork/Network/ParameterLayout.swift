/// The list of a model's parameters: initialisation, gradients, optimizer, checkpoint and count all use it.
///
/// Names and shapes are PyTorch's. All parameters are in one arena, each at an offset that is a multiple of 16.
package struct ParameterLayout: Sendable {
    package enum Role: Sendable, Equatable {
        /// Rows belong to symbols.
        case encoder, decoderWeight
        /// Rows belong to n-grams: first those of 2 symbols, then those of 3, and so on.
        case ngrams
        /// Elements belong to symbols.
        case decoderBias
        /// A tensor of a layer, by the cell's own list.
        case layer(Int, tensor: Int, LayerTensor.Role)
    }

    package struct Entry: Sendable {
        package let name: String
        package let role: Role
        /// The shape in memory. A vector is one row.
        package let rows: Int
        package let columns: Int
        package let offset: Int
        /// Whether it is stored as the transpose of PyTorch's: rows of a one-hot input weight [V, GH] are gathered.
        package let isTransposed: Bool
        package let initialization: Initialization

        package var isBias: Bool {
            switch role {
            case .decoderBias, .layer(_, _, .bias): true
            default: false
            }
        }

        /// The shape in PyTorch and in checkpoints.
        package var shape: [Int] { isBias ? [columns] : isTransposed ? [columns, rows] : [rows, columns] }
    }

    package let entries: [Entry]
    /// The length of the arena, gaps included.
    package let count: Int

    package init(_ model: ModelConfiguration) {
        var entries: [Entry] = []
        var offset = 0
        func add(
            _ name: String, _ role: Role, _ rows: Int, _ columns: Int, isTransposed: Bool = false,
            _ initialization: Initialization
        ) {
            entries.append(
                Entry(
                    name: name, role: role, rows: rows, columns: columns, offset: offset, isTransposed: isTransposed,
                    initialization: initialization))
            offset += (rows * columns + 15) / 16 * 16
        }
        let (h, v) = (model.hidden, model.vocabularySize)
        if !model.isOneHot { add("encoder.weight", .encoder, v, model.embedding, .gaussian) }
        if model.embedsNgrams {
            // Small, so that symbols count for more at first.
            add("ngrams.weight", .ngrams, model.ngramLengths * model.ngramRows, model.embedding, .uniform(within: 0.08))
        }
        for index in 0..<model.layers {
            let layer = model.layer(index)
            for (number, tensor) in model.cell.cell.tensors(of: layer).enumerated() {
                let (name, role) = (
                    "rnn.\(tensor.name)_l\(index)", Role.layer(index, tensor: number, tensor.role)
                )
                switch tensor.role {
                case .inputWeight where layer.isOneHot:
                    add(name, role, layer.input, tensor.outputs, isTransposed: true, tensor.initialization)
                case .inputWeight: add(name, role, tensor.outputs, layer.input, tensor.initialization)
                case .recurrentWeight: add(name, role, tensor.outputs, h, tensor.initialization)
                case .bias: add(name, role, 1, tensor.outputs, tensor.initialization)
                }
            }
        }
        add("decoder.weight", .decoderWeight, v, h, .uniform(within: (6 / Double(h + v)).squareRoot()))
        add("decoder.bias", .decoderBias, 1, v, .constants([0]))
        self.entries = entries
        count = offset
    }

    /// The entries of a layer's tensors, in the cell's order.
    package func entries(ofLayer layer: Int) -> [Entry] {
        entries.filter { if case .layer(layer, _, _) = $0.role { true } else { false } }
    }
}
