import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing

struct GradientCase: Sendable, CustomStringConvertible {
    var cell: CellKind
    var nonlinearity = Nonlinearity.tanh
    var layers: Int
    var embedding: Int
    var dropout: Double
    var ngrams = 0
    var ngramDropout = 0.0

    /// Where the cell has weights to drop.
    var weightDropout: Double { cell.uses("weight-dropout") ? dropout : 0 }

    var description: String {
        "\(cell) \(nonlinearity), \(layers) layers, embedding \(embedding), n-grams \(ngrams), dropped \(ngramDropout), all other dropouts \(dropout)"
    }

    static let all: [GradientCase] = {
        var cases: [GradientCase] = []
        for (cell, nonlinearity) in [
            (CellKind.lstm, Nonlinearity.tanh), (.gru, .tanh), (.rnn, .tanh), (.rnn, .relu), (.mingru, .tanh),
        ] {
            for layers in 1...3 {
                for embedding in [0, 3] {
                    for dropout in [0, 0.4] {
                        cases.append(
                            GradientCase(
                                cell: cell, nonlinearity: nonlinearity, layers: layers, embedding: embedding,
                                dropout: dropout))
                    }
                }
            }
        }
        for ngrams in [2, 4] {
            for (dropout, ngramDropout) in [(0.4, 0), (0, 0.4), (0.4, 0.4)] {
                cases.append(
                    GradientCase(
                        cell: .gru, layers: 2, embedding: 3, dropout: dropout, ngrams: ngrams,
                        ngramDropout: ngramDropout))
            }
        }
        return cases
    }()
}

@Suite("Gradients")
struct GradientTests {
    /// Central differences in Double have an error of about h^2 f''' + 1e-16 f / h: with h = 1e-5, some 1e-10.
    /// The relu has kinks: a difference that crosses one is seen by its own asymmetry and is not compared.
    @Test("Every parameter's gradient matches central differences", arguments: GradientCase.all)
    func centralDifferences(_ test: GradientCase) throws {
        let model = try ModelConfiguration(
            cell: test.cell, layers: test.layers, hidden: 4, embedding: test.embedding,
            ngramEmbedding: test.ngrams, ngramRows: 7, ngramDropout: test.ngramDropout,
            vocabularySize: 5, nonlinearity: test.nonlinearity,
            dropout: test.dropout, weightDropout: test.weightDropout)
        let fixture = NetworkFixture<Double>(model, steps: 5, batch: 9, seed: 11)
        let step = fixture.makeEngine()
        let center = fixture.loss(step)
        let gradient = kept(Parameters<Double>(model))
        gradient.all.copy(step.gradient.all)
        var compared = 0
        var skipped = 0
        for entry in fixture.parameters.layout.entries {
            let (parameter, analytic) = (fixture.parameters[entry], gradient[entry])
            for row in 0..<entry.rows {
                for column in 0..<entry.columns {
                    let (value, h) = (parameter[row, column], 1e-5)
                    parameter[row, column] = value + h
                    let above = fixture.loss(step)
                    parameter[row, column] = value - h
                    let below = fixture.loss(step)
                    parameter[row, column] = value
                    let numeric = (above - below) / (2 * h)
                    let asymmetry = abs(above - 2 * center + below) / h
                    if test.nonlinearity == .relu && asymmetry > 1e-4 {
                        skipped += 1
                        continue
                    }
                    compared += 1
                    let exact = analytic[row, column]
                    #expect(
                        abs(exact - numeric) <= 1e-6 * max(abs(exact), abs(numeric)) + 1e-9,
                        "\(entry.name)[\(row), \(column)]: analytic \(exact), numeric \(numeric)")
                }
            }
        }
        #expect(compared > 20 * skipped)
    }

    @Test(
        "The gradient of a tied embedding sums both of its uses, and both copies stay equal",
        arguments: [CellKind.gru, .lstm])
    func tied(cell: CellKind) throws {
        let model = try ModelConfiguration(
            cell: cell, layers: 2, hidden: 4, embedding: 4, vocabularySize: 5, isTied: true, dropout: 0.3)
        let fixture = NetworkFixture<Double>(model, steps: 5, batch: 9, seed: 11)
        let (encoder, decoder) = (fixture.parameters.encoder!, fixture.parameters.decoderWeight)
        encoder.copy(decoder)
        let step = fixture.makeEngine()
        _ = fixture.loss(step)
        let gradient = kept(Parameters<Double>(model))
        gradient.all.copy(step.gradient.all)
        var squares = 0.0
        for entry in gradient.layout.entries where entry.name != "encoder.weight" {
            squares += gradient[entry].elements.reduce(0) { $0 + $1 * $1 }
        }
        #expect(abs(step.optimizer.norm(of: gradient, using: Workers(count: 1)) / squares.squareRoot() - 1) < 1e-12)
        for row in 0..<5 {
            for column in 0..<4 {
                let (value, h) = (decoder[row, column], 1e-5)
                func loss(_ value: Double) -> Double {
                    (encoder[row, column], decoder[row, column]) = (value, value)
                    return fixture.loss(step)
                }
                let numeric = (loss(value + h) - loss(value - h)) / (2 * h)
                _ = loss(value)
                let exact = gradient.decoderWeight[row, column]
                #expect(abs(exact - numeric) <= 1e-6 * abs(exact) + 1e-9 && gradient.encoder![row, column] == exact)
            }
        }
        _ = fixture.loss(step)
        for count in 1...3 { #expect(step.update(UpdateStep(step: count, scale: 1, rate: 0.1, decay: 0.1))) }
        let trained = step.network.parameters
        #expect(trained.encoder!.elements == trained.decoderWeight.elements && trained.encoder![0, 0] != 0)
    }

    /// The same window in Float: rounding of some tens of additions, so about 1e-5 of the largest element.
    @Test("Float gradients match Double gradients", arguments: GradientCase.all)
    func floatMatchesDouble(_ test: GradientCase) throws {
        let model = try ModelConfiguration(
            cell: test.cell, layers: test.layers, hidden: 21, embedding: test.embedding, vocabularySize: 19,
            nonlinearity: test.nonlinearity, dropout: test.dropout, weightDropout: test.weightDropout)
        let double = NetworkFixture<Double>(model, steps: 6, batch: 13, seed: 5, scale: 0.25)
        let float = NetworkFixture<Float>(model, steps: 6, batch: 13, seed: 5, scale: 0.25)
        let (a, b) = (double.makeEngine(), float.makeEngine())
        let (x, y) = (double.loss(a), float.loss(b))
        #expect(abs(x - y) < 1e-5)
        let flaw = difference(
            a.gradient.elements, b.gradient.elements, relative: 1e-4, absolute: 2e-6)
        #expect(flaw == nil)
    }

    /// Sizes that fill no vector, batches and windows of one, more threads than lanes.
    @Test(
        "Float gradients match Double gradients at odd sizes, whatever the threads", arguments: [1, 3, 17, 100],
        CellKind.allCases)
    func oddSizes(hidden: Int, cell: CellKind) throws {
        let model = try ModelConfiguration(cell: cell, layers: 2, hidden: hidden, vocabularySize: 19)
        for (steps, batch) in [(2, 1), (1, 3), (5, 11), (3, 50)] {
            let double = NetworkFixture<Double>(model, steps: steps, batch: batch, seed: 5, scale: 0.25)
            let float = NetworkFixture<Float>(model, steps: steps, batch: batch, seed: 5, scale: 0.25)
            let exact = double.makeEngine()
            let loss = double.loss(exact)
            var first: [Float]?
            for threads in [1, 2, 3, 60] {
                let step = float.makeEngine(threads: threads)
                #expect(abs(loss - float.loss(step)) < 1e-5)
                let flaw = difference(exact.gradient.elements, step.gradient.elements, relative: 1e-4, absolute: 2e-6)
                #expect(flaw == nil, "\(steps) steps, \(batch) lanes, \(threads) threads")
                #expect(step.gradient.elements == first ?? step.gradient.elements, "\(threads) threads")
                first = step.gradient.elements
            }
        }
    }

    @Test("Windows with and without restarts compute the same, to the bit", arguments: CellKind.allCases)
    func restarts(cell: CellKind) throws {
        let model = try ModelConfiguration(cell: cell, layers: 2, hidden: 20, embedding: 3, vocabularySize: 19)
        let fixture = NetworkFixture<Float>(model, steps: 5, batch: 10, seed: 5)
        let (a, b) = (fixture.makeEngine(restarts: true), fixture.makeEngine(restarts: false))
        #expect(fixture.loss(a, resetAt: 0) == fixture.loss(b, resetAt: 0))
        #expect(a.gradient.elements == b.gradient.elements)
        #expect(a.laneState == b.laneState)
    }
}
