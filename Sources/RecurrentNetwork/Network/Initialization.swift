import LinearAlgebra
import Randomness

/// How a parameter begins.
package enum Initialization: Sendable, Equatable {
    /// Standard normal: embeddings.
    case gaussian
    /// Uniform between the bound and its negative; Glorot & Bengio (2010) say which bound keeps signals alive.
    case uniform(within: Double)
    /// Each block of as many rows as columns orthogonal (Saxe, McClelland & Ganguli 2014): recurrent weights.
    case orthogonal
    /// Equal parts of the given values: biases.
    case constants([Double])
}

extension Parameters {
    /// Sets the parameters of a model that has learned nothing yet, each from a stream of random numbers of its own.
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
