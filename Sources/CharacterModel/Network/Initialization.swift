import LinearAlgebra

extension Parameters {
    /// Sets the parameters of a model that has learned nothing yet. Each draws from a stream of its own.
    ///
    /// Recurrent weights: orthogonal for each gate (Saxe et al. 2014). Dense weights: uniform by fan-in and fan-out
    /// (Glorot & Bengio 2010), for each gate. One-hot input rows: uniform within 1/sqrt(H), since one row is active at a
    /// time. Embeddings: standard normal. Biases: zero, but for the LSTM's forget gate, 1 in `bias_ih` (Jozefowicz et al. 2015).
    package func initialize(_ model: ModelConfiguration, seed: UInt64) {
        let h = model.hidden
        for (index, entry) in layout.entries.enumerated() {
            var generator = SplitMix64(seed: seed, stream: Stream.initialization, UInt64(index))
            let parameter = self[entry]
            switch entry.role {
            case .encoder:
                parameter.assign((0..<entry.rows * entry.columns).map { _ in Scalar(gaussian(using: &generator)) })
            case .oneHotInputWeight:
                fill(parameter, within: 1 / Double(h).squareRoot(), using: &generator)
            case .inputWeight, .decoderWeight:
                let fanOut = entry.role == .decoderWeight ? entry.rows : h
                fill(parameter, within: (6 / Double(entry.columns + fanOut)).squareRoot(), using: &generator)
            case .recurrentWeight:
                for gate in 0..<model.cell.gates {
                    fillOrthogonal(parameter.rows(gate * h..<(gate + 1) * h), using: &generator)
                }
            case .inputBias:
                parameter.clear()
                if model.cell == .lstm { parameter.columns(h..<2 * h).fill(1) }
            case .recurrentBias, .decoderBias:
                parameter.clear()
            }
        }
        if model.isTied { encoder!.copy(decoderWeight) }
    }
}

private func fill<Scalar: KernelScalar>(
    _ parameter: MatrixView<Scalar>, within bound: Double, using generator: inout SplitMix64
) {
    let count = parameter.rows * parameter.columns
    parameter.assign((0..<count).map { _ in Scalar((2 * generator.uniform() - 1) * bound) })
}

/// What the streams of random numbers are for; the first part of each stream's path.
enum Stream {
    static let initialization: UInt64 = 1
    static let dropout: UInt64 = 2
    static let unknown: UInt64 = 3
    static let sampling: UInt64 = 4
    static let order: UInt64 = 5
    static let coldStarts: UInt64 = 6
    static let tuning: UInt64 = 7
    static let weightDropout: UInt64 = 8
}
