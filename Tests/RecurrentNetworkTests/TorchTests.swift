import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import TestSupport
import Testing

@testable import RecurrentNetwork

/// What `Fixtures/torch_values.py` wrote.
struct TorchValues: Decodable {
    struct Case: Decodable {
        var cell: CellKind
        var layers: Int
        var embedding: Int
        /// The length of the longest ones embedded, in 11 rows each.
        var ngrams: Int
        var nonlinearity: Nonlinearity
        var loss: Double
        var logits: [Double]
        var hidden: [Double]
        var cellState: [Double]
        var gradients: [String: [Double]]
    }

    struct OptimizerSteps: Decodable {
        var name: Optimizer
        var steps: [[Double]]
    }

    var vocabulary: Int
    var hidden: Int
    var steps: Int
    var batch: Int
    var cases: [Case]
    var optimizers: [OptimizerSteps]

    static func load() throws -> TorchValues {
        let data = try Data(contentsOf: URL(fileURLWithPath: fixture("torch_values.json")))
        return try JSONDecoder().decode(TorchValues.self, from: data)
    }
}

/// The path of a file in `Fixtures`.
func fixture(_ name: String) -> String { Bundle.module.bundlePath + "/Fixtures/" + name }

@Suite("PyTorch")
struct TorchTests {
    /// Builds the network of a case with the formulas of the script, in any type.
    private func run<Scalar: KernelScalar>(
        _ test: TorchValues.Case, _ values: TorchValues, as type: Scalar.Type, tolerance: Double
    ) throws {
        let model = try ModelConfiguration(
            cell: test.cell, layers: test.layers, hidden: values.hidden, embedding: test.embedding,
            ngramEmbedding: test.ngrams, ngramRows: 11, vocabularySize: values.vocabulary,
            nonlinearity: test.nonlinearity)
        let parameters = kept(Parameters<Scalar>(model))
        for (p, entry) in parameters.layout.entries.enumerated() {
            parameters.assign(
                (0..<entry.rows * entry.columns).map { Scalar(0.4 * sin(1 + 0.7 * Double($0) + 1.3 * Double(p))) },
                to: entry)
        }
        let (steps, batch, size) = (values.steps, values.batch, values.hidden)
        let engine = ThreadedEngine(
            EngineSetup(
                model: model, parameters: parameters, optimizer: .sgd, batch: batch, window: steps, seed: 1,
                workers: Workers(count: 1)))
        var state = NetworkState<Scalar>(model, lanes: batch)
        for layer in 0..<test.layers {
            for (lane, unit) in (0..<batch).flatMap({ lane in (0..<size).map { (lane, $0) } }) {
                let angle = Double(layer + 2 * lane + 3 * unit)
                state.values[0][layer][lane * size + unit] = Scalar(0.1 * cos(angle))
                for other in state.values.indices.dropFirst() {
                    state.values[other][layer][lane * size + unit] = Scalar(0.5 * sin(angle))
                }
            }
        }
        engine.laneState = state
        let input = LaneWindow(lanes: batch, steps: steps, ngrams: test.ngrams)
        for (t, b) in (0..<steps).flatMap({ t in (0..<batch).map { (t, $0) } }) {
            input.ids.view[0, t * batch + b] = Int32((2 * t + 3 * b + 1) % values.vocabulary)
            input.targets.view[0, t * batch + b] = Int32((3 * t + b + 2) % values.vocabulary)
        }
        for (shard, lanes) in zip(engine.shards, LaneGroups(batch: batch).ranges) {
            shard.input.copy(lanes, of: input, steps: steps)
            shard.state = state[lanes: lanes]
            shard.forward(engine.network, steps: steps)
        }
        let name = "\(test.cell) \(test.nonlinearity) \(test.layers) \(test.embedding) \(test.ngrams)"
        func close(_ what: String, _ a: [Scalar], _ b: [Double]) {
            let flaw = difference(a, b, relative: tolerance, absolute: tolerance)
            #expect(flaw == nil, "\(name): \(what)")
        }
        // The rows of all shards, for each step, in the order of the lanes.
        let logits = engine.shards.map { ($0.logits.elements, $0.lanes * values.vocabulary) }
        close(
            "logits", (0..<steps).flatMap { t in logits.flatMap { $0[t * $1..<(t + 1) * $1] } }, test.logits)
        let outcome = engine.gradient(of: TrainingWindow(input, steps: steps, symbols: steps * batch, step: 1))
        close("loss", [Scalar(outcome.losses.reduce(0, +) / Double(steps * batch))], [test.loss])
        let after = engine.laneState.values.map { $0.flatMap { $0 } }
        close("hidden", after[0], test.hidden)
        close("cell", after.count > 1 ? after[1] : [], test.cellState)
        for entry in parameters.layout.entries {
            let expected = try #require(test.gradients[entry.name])
            close("gradient of \(entry.name)", engine.gradient.elements(of: entry), expected)
        }
        #expect(test.gradients.count == parameters.layout.entries.count)
    }

    @Test("Logits, states, loss and gradients in Double are PyTorch's")
    func double() throws {
        let values = try TorchValues.load()
        for test in values.cases { try run(test, values, as: Double.self, tolerance: 1e-12) }
    }

    /// A few dozen roundings of numbers below 1: some 1e-6.
    @Test("Logits, states, loss and gradients in Float are PyTorch's")
    func float() throws {
        let values = try TorchValues.load()
        for test in values.cases { try run(test, values, as: Float.self, tolerance: 3e-6) }
    }

    @Test("Three steps of every optimizer, with weight decay, are PyTorch's")
    func optimizers() throws {
        let values = try TorchValues.load()
        #expect(Set(values.optimizers.map(\.name)) == Set(Optimizer.allCases))
        for test in values.optimizers {
            let parameters = kept(Matrix<Double>(rows: 1, columns: 4, [0.5, -1.0, 2.0, 0.0]))
            let moments = test.name.moments.map { _ in kept(Matrix<Double>(rows: 1, columns: 4)) }
            for (index, expected) in test.steps.enumerated() {
                let gradient = kept(
                    Matrix<Double>(rows: 1, columns: 4, (0..<4).map { sin(Double(index + 1 + 2 * $0)) / 0.5 }))
                // The clip factor is part of the same pass: half of a doubled gradient.
                let rule = test.name.rule(
                    UpdateStep(step: index + 1, scale: 0.5, rate: 0.1, decay: 0.01), decay: 0.01)
                let isFinite = Double.kernels.update(
                    rule, parameters: parameters.view, gradient: gradient.view,
                    moments: (moments.first?.view, moments.count > 1 ? moments[1].view : nil))
                #expect(isFinite)
                let flaw = difference(parameters.elements, expected, relative: 1e-12, absolute: 1e-12)
                #expect(flaw == nil, "\(test.name), step \(index + 1)")
            }
        }
    }
}
