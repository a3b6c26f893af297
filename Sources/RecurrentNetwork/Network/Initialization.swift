import LinearAlgebra
import Randomness

/// How a parameter is initialized.
package enum Initialization: Sendable, Equatable {
    /// Standard normal: embeddings.
    case gaussian
    /// Uniform between the bound and its negative; Glorot & Bengio (2010) give the bound that preserves the scale of
    /// signals.
    case uniform(within: Double)
    /// Each block of as many rows as columns orthogonal (Saxe, McClelland & Ganguli 2014): recurrent weights.
    case orthogonal
    /// Blocks of equal length, one for each given value: biases.
    case constants([Double])
}

extension Parameters {
    /// Initializes the parameters of a new model, each from its own stream of random numbers.
    package func initialize(_ model: ModelConfiguration, seed: UInt64) {
        for (index, entry) in layout.entries.enumerated() {
            var generator = SplitMix64(seed: seed, stream: RandomStream.initialization, UInt64(index))
            self[entry].initialize(entry.initialization, using: &generator)
        }
        if model.isTied { encoder!.copy(decoderWeight) }
    }
}

extension MatrixView where Element: KernelScalar {
    fileprivate func initialize(_ initialization: Initialization, using generator: inout SplitMix64) {
        let count = rows * columns
        switch initialization {
        case .gaussian: assign((0..<count).map { _ in Element(gaussian(using: &generator)) })
        case .uniform(let bound):
            assign((0..<count).map { _ in Element((2 * generator.uniform() - 1) * bound) })
        case .orthogonal:
            for first in stride(from: 0, to: rows, by: columns) {
                fillOrthogonal(rows(first..<first + columns), using: &generator)
            }
        case .constants(let values):
            let each = columns / values.count
            for (index, value) in values.enumerated() {
                self.columns(index * each..<(index + 1) * each).fill(Element(value))
            }
        }
    }
}
