/// The list of a model's parameters: initialisation, gradients, optimizer, checkpoint and count all walk it.
///
/// Names and shapes are PyTorch's. All parameters lie in one arena, each from an offset that is a multiple of 16.
package struct ParameterLayout: Sendable {
    package enum Role: Sendable {
        case encoder, oneHotInputWeight, inputWeight, recurrentWeight, inputBias, recurrentBias, decoderWeight,
            decoderBias
    }

    package struct Entry: Sendable {
        package let name: String
        package let role: Role
        /// The shape in memory. A vector is one row.
        package let rows: Int
        package let columns: Int
        package let offset: Int

        /// Rows of a one-hot input weight are gathered, so it lies in memory as [V, GH], PyTorch's transpose.
        package var isTransposed: Bool { role == .oneHotInputWeight }
        package var isBias: Bool { [.inputBias, .recurrentBias, .decoderBias].contains(role) }
        /// The shape in PyTorch and in checkpoints.
        package var shape: [Int] {
            switch role {
            case .inputBias, .recurrentBias, .decoderBias: [columns]
            case .oneHotInputWeight: [columns, rows]
            default: [rows, columns]
            }
        }
    }

    package let entries: [Entry]
    /// The length of the arena, gaps included.
    package let count: Int

    package init(_ model: ModelConfiguration) {
        var entries: [Entry] = []
        var offset = 0
        func add(_ name: String, _ role: Role, _ rows: Int, _ columns: Int) {
            entries.append(Entry(name: name, role: role, rows: rows, columns: columns, offset: offset))
            offset += (rows * columns + 15) / 16 * 16
        }
        let (h, v) = (model.hidden, model.vocabularySize)
        let gh = model.cell.gates * h
        if model.embedding > 0 { add("encoder.weight", .encoder, v, model.embedding) }
        for layer in 0..<model.layers {
            if layer == 0 && model.isOneHot {
                add("rnn.weight_ih_l0", .oneHotInputWeight, v, gh)
            } else {
                add("rnn.weight_ih_l\(layer)", .inputWeight, gh, model.inputSize(ofLayer: layer))
            }
            add("rnn.weight_hh_l\(layer)", .recurrentWeight, gh, h)
            add("rnn.bias_ih_l\(layer)", .inputBias, 1, gh)
            add("rnn.bias_hh_l\(layer)", .recurrentBias, 1, gh)
        }
        add("decoder.weight", .decoderWeight, v, h)
        add("decoder.bias", .decoderBias, 1, v)
        self.entries = entries
        count = offset
    }
}
