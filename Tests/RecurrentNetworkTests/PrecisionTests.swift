import Foundation
import LinearAlgebra
import RecurrentNetwork
import TestSupport
import Testing

/// What rounding the products of a training does to its losses and gradients.
@Suite("Training in bfloat16")
struct PrecisionTests {
    private static let cells: [(cell: CellKind, nonlinearity: Nonlinearity)] = [
        (.lstm, .tanh), (.gru, .tanh), (.rnn, .tanh), (.rnn, .relu), (.mingru, .tanh),
    ]

    private func model(_ index: Int) throws -> ModelConfiguration {
        try ModelConfiguration(
            cell: Self.cells[index].cell, layers: 2, hidden: 33, embedding: 7, vocabularySize: 19,
            nonlinearity: Self.cells[index].nonlinearity)
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// Along the gradient in bfloat16, the loss of the network in Double rises as fast as that gradient says. Rounding changes
    /// each product by up to 2^-8 of it.
    @Test("Directional derivatives are those of the network in Double, within the rounding", arguments: cells.indices)
    func derivatives(index: Int) throws {
        let model = try model(index)
        for seed in 1...6 as ClosedRange<UInt64> {
            let rounded = NetworkFixture<Float>(model, steps: 9, batch: 26, seed: seed, scale: 0.25)
            let exact = NetworkFixture<Double>(model, steps: 9, batch: 26, seed: seed, scale: 0.25)
            let engine = rounded.makeEngine(precision: .bfloat16)
            let loss = rounded.loss(engine)
            let other = exact.makeEngine()
            #expect(abs(loss / exact.loss(other) - 1) < 1e-3)
            let gradient = engine.gradient.elements.map(Double.init)
            #expect(gradient != other.gradient.elements)
            let (start, norm) = (exact.parameters.elements, sqrt(dot(gradient, gradient)))
            func moved(_ distance: Double) -> Double {
                for at in start.indices {
                    exact.parameters.all.base[at] = start[at] + distance * gradient[at] / norm
                }
                return exact.loss(other)
            }
            let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4
            #expect(abs(slope / norm - 1) < 0.01, "\(slope / norm - 1), seed \(seed)")
        }
    }

    /// The errors of single gradients are random: their mean is within what so many of them leave of it.
    @Test("Rounding has no bias: neither in the loss nor along the gradient", arguments: cells.indices)
    func bias(index: Int) throws {
        let model = try model(index)
        var (losses, gradients): ([Double], [Double]) = ([], [])
        for seed in 1...60 as ClosedRange<UInt64> {
            let fixture = NetworkFixture<Float>(model, steps: 7, batch: 18, seed: seed, scale: 0.25)
            let (engine, other) = (fixture.makeEngine(precision: .bfloat16), fixture.makeEngine())
            losses.append(fixture.loss(engine) / fixture.loss(other) - 1)
            let exact = other.gradient.elements.map(Double.init)
            gradients.append(dot(engine.gradient.elements.map(Double.init), exact) / dot(exact, exact) - 1)
        }
        for errors in [losses, gradients] {
            let mean = errors.reduce(0, +) / Double(errors.count)
            let deviation = sqrt(errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(errors.count - 1))
            #expect(deviation > 0 && deviation < 0.005, "\(deviation)")
            #expect(abs(mean) < 4 * deviation / sqrt(Double(errors.count)), "\(mean), deviation \(deviation)")
        }
    }
}
