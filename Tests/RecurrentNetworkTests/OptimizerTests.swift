import Concurrency
import LinearAlgebra
import TestSupport
import Testing

@testable import RecurrentNetwork

@Suite("Optimizers")
struct OptimizerTests {
    /// Steps on weights that fill several pieces and no whole vector; one element of one matrix is spoilt, the last ones too.
    private func staysFinite<Scalar: KernelScalar>(
        _ optimizer: Optimizer, spoiling: (Parameters<Scalar>, Parameters<Scalar>, [Parameters<Scalar>]) -> Void
    ) throws -> Bool {
        let model = try ModelConfiguration(hidden: 77, vocabularySize: 9)
        let (parameters, gradient) = (kept(Parameters<Scalar>(model)), kept(Parameters<Scalar>(model)))
        let state = kept(OptimizerState<Scalar>(optimizer, model))
        for entry in parameters.layout.entries {
            parameters[entry].fill(0.5)
            gradient[entry].fill(0.1)
        }
        spoiling(parameters, gradient, state.moments)
        return state.update(
            parameters, gradient: gradient, UpdateStep(step: 1, scale: 1, rate: 0.01, decay: 0.01),
            using: Workers(count: 2))
    }

    private func check<Scalar: KernelScalar>(_ optimizer: Optimizer, as type: Scalar.Type) throws {
        #expect(try staysFinite(optimizer) { (_: Parameters<Scalar>, _, _) in })
        for value in [Scalar.nan, .infinity, -.infinity] {
            #expect(
                try !staysFinite(optimizer) {
                    $0.decoderBias[0, 8] = value
                    _ = ($1, $2)
                }, "\(value)")
            #expect(
                try !staysFinite(optimizer) {
                    $0.layers[0][1][150, 40] = value
                    _ = ($1, $2)
                }, "\(value)")
            #expect(
                try !staysFinite(optimizer) {
                    $1.layers[0][0][0, 0] = value
                    _ = ($0, $2)
                }, "\(value)")
            for index in optimizer.moments.indices {
                #expect(
                    try !staysFinite(optimizer) {
                        $2[index].decoderWeight[8, 76] = value
                        _ = ($0, $1)
                    }, "\(value)")
            }
        }
    }

    @Test("An update says whether every weight and moment is finite afterwards", arguments: Optimizer.allCases)
    func finite(optimizer: Optimizer) throws {
        try check(optimizer, as: Float.self)
        try check(optimizer, as: Double.self)
    }

    @Test("Rows of n-grams without a gradient stay as they are, moments included; all others move as usual")
    func sparseRows() throws {
        let model = try ModelConfiguration(
            hidden: 4, embedding: 37, ngramEmbedding: 3, ngramRows: 501, vocabularySize: 9)
        let (parameters, gradient) = (kept(Parameters<Double>(model)), kept(Parameters<Double>(model)))
        let state = kept(OptimizerState<Double>(.adamw, model))
        for entry in parameters.layout.entries { parameters[entry].fill(0.5) }
        for moment in state.moments { moment.ngrams!.fill(0.25) }
        let table = gradient.ngrams!
        for row in [0, 442, 443, 501, 1001] { table[row, row == 442 ? 36 : 0] = 0.125 }
        gradient.encoder![3, 3] = 0.125
        #expect(
            state.update(
                parameters, gradient: gradient, UpdateStep(step: 1, scale: 1, rate: 0.01, decay: 0.01),
                using: Workers(count: 2)))
        for row in 0..<1002 {
            let isMoved = [0, 442, 443, 501, 1001].contains(row)
            for matrix in [parameters.ngrams!, state.moments[0].ngrams!, state.moments[1].ngrams!] {
                let still = matrix[row, 5] == 0.5 || matrix[row, 5] == 0.25
                #expect(still != isMoved, "row \(row)")
            }
        }
        // A symbol's row decays even where it has no gradient.
        #expect(parameters.encoder![0, 0] != 0.5)
    }
}
