import Foundation
import LinearAlgebra
import Randomness
import TestSupport
import Testing

@Suite("Vector functions")
struct VectorFunctionTests {
    /// Measured over the samples below: exp 1 ulp, sigmoid 3, tanh 3 (the far branch subtracts).
    private static func bound(_ function: VectorFunction) -> Double {
        switch function {
        case .exp: 2
        case .tanh, .sigmoid: 4
        }
    }

    private static func exact(_ function: VectorFunction, _ x: Double) -> Double {
        switch function {
        case .exp: Foundation.exp(x)
        case .tanh: Foundation.tanh(x)
        case .sigmoid: 1 / (1 + Foundation.exp(-x))
        }
    }

    @Test("Errors are within a few ulps over the whole range", arguments: KernelLevel.allCases, VectorFunction.allCases)
    func accuracy(level: KernelLevel, function: VectorFunction) {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        var samples = stride(from: Float(-110), through: 110, by: 0.00731).map { $0 }
        samples += stride(from: Float(-1.5), through: 1.5, by: 0.0000917).map { $0 }
        samples += (-40...0).flatMap {
            [Float(sign: .plus, exponent: $0, significand: 1.3), -Float(sign: .plus, exponent: $0, significand: 1.7)]
        }
        let x = kept(Matrix<Float>(rows: 1, columns: samples.count, samples))
        let y = kept(Matrix<Float>(rows: 1, columns: samples.count))
        FloatKernels(level: level).map(function, x.view, into: y.view)
        var worst = (ulps: 0.0, x: Float(0))
        for (x, y) in zip(samples, y.elements) {
            let exact = Self.exact(function, Double(x))
            guard exact <= Double(Float.greatestFiniteMagnitude) else {
                #expect(y == .infinity, "\(function)(\(x))")
                continue
            }
            // Below the normal range, sigmoid may flush what exp overflows on.
            if abs(exact) < Double(Float.leastNormalMagnitude) && function == .sigmoid { continue }
            let ulp = Double(max(Float(exact).ulp, .leastNonzeroMagnitude))
            let error = abs(Double(y) - exact) / ulp
            if error > worst.ulps { worst = (error, x) }
        }
        #expect(worst.ulps <= Self.bound(function), "\(function): \(worst.ulps) ulps at \(worst.x)")
    }

    @Test("Limits are exact and NaN stays NaN", arguments: KernelLevel.allCases)
    func limits(level: KernelLevel) {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        let huge = Float.greatestFiniteMagnitude
        let x = kept(
            Matrix<Float>(
                rows: 1, columns: 9, [0, -.infinity, .infinity, .nan, -huge, huge, -200, 200, .leastNonzeroMagnitude]))
        let y = kept(Matrix<Float>(rows: 1, columns: 9))
        let kernels = FloatKernels(level: level)
        for (function, expected) in [
            (VectorFunction.exp, [1, 0, .infinity, .nan, 0, .infinity, 0, .infinity, 1] as [Float]),
            (.tanh, [0, -1, 1, .nan, -1, 1, -1, 1, .leastNonzeroMagnitude]),
            (.sigmoid, [0.5, 0, 1, .nan, 0, 1, 0, 1, 0.5]),
        ] {
            kernels.map(function, x.view, into: y.view)
            for (a, b) in zip(y.elements, expected) { #expect(a == b || (a.isNaN && b.isNaN), "\(function)") }
        }
    }
}

@Suite("Randomness")
struct RandomnessTests {
    @Test("An orthogonal matrix is orthogonal")
    func orthogonal() {
        let q = kept(Matrix<Double>(rows: 40, columns: 40))
        var generator = SplitMix64(seed: 1)
        fillOrthogonal(q.view, using: &generator)
        for i in 0..<40 {
            for j in 0..<40 {
                let dot = (0..<40).reduce(0) { $0 + q.view[i, $1] * q.view[j, $1] }
                #expect(abs(dot - (i == j ? 1 : 0)) < 1e-13)
            }
        }
    }

    @Test("Streams differ, and the same path gives the same stream")
    func streams() {
        func first(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
            var generator = SplitMix64(seed: seed, stream: stream)
            return generator.next()
        }
        var seen = Set<UInt64>()
        for seed in 0..<30 as Range<UInt64> {
            for stream in 0..<30 as Range<UInt64> { seen.insert(first(seed, stream)) }
        }
        #expect(seen.count == 900)
        #expect(first(5, 6) == first(5, 6))
    }

    @Test("A dropout mask keeps the share it should, scaled so that the mean is 1")
    func dropout() {
        let mask = kept(Matrix<Float>(rows: 100, columns: 101))
        var generator = SplitMix64(seed: 3)
        Float.kernels.fillDropoutMask(mask.view, keep: 0.7, using: &generator)
        let kept = mask.elements.filter { $0 != 0 }
        #expect(kept.allSatisfy { $0 == Float(1 / 0.7) })
        // Four standard deviations of a binomial share.
        let share = Double(kept.count) / 10_100
        let allowed: Double = 4 * (0.7 * 0.3 / 10_100).squareRoot()
        #expect(abs(share - 0.7) < allowed)
    }
}
