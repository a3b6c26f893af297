import Randomness
import TestSupport
import Testing

@testable import LinearAlgebra

@Suite("Products")
struct ProductTests {
    /// Sums of K products of numbers below 1: float rounding is at most about K ulps of the sum of magnitudes.
    @Test("A packed product equals its plain definition", arguments: KernelLevel.allCases, 1...13)
    func packed(level: KernelLevel, rows: Int) throws {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        for (inner, columns) in [(1, 1), (7, 16), (16, 17), (33, 64), (40, 70), (5, 150)] {
            let a = randomMatrix(rows, inner, seed: 1, as: Float.self)
            let b = randomMatrix(inner, columns, seed: 2, as: Float.self)
            let bias = randomMatrix(1, columns, seed: 3, as: Float.self)
            let packed = PackedMatrix<Float>(inner: inner, columns: columns)
            Float.kernels.pack(b.view, into: packed, panels: 0..<packed.panels)
            for (bias, accumulate) in [(nil, false), (bias.view, false), (nil, true)] {
                let start = randomMatrix(rows, columns, seed: 4, as: Float.self)
                let fast = kept(Matrix<Float>(rows: rows, columns: columns, start.elements))
                FloatKernels(level: level).product(
                    a.view, packed, bias: bias, accumulate: accumulate, into: fast.view)
                var expected: [Double] = []
                for i in 0..<rows {
                    for j in 0..<columns {
                        let first = accumulate ? start.view[i, j] : bias?[0, j] ?? 0
                        expected.append(
                            (0..<inner).reduce(Double(first)) { $0 + Double(a.view[i, $1]) * Double(b.view[$1, j]) })
                    }
                }
                let flaw = difference(fast.elements, expected, relative: 0, absolute: 1e-6 * Double(inner + 1))
                #expect(flaw == nil, "\(rows) x \(inner) x \(columns), accumulate \(accumulate)")
            }
        }
    }

    @Test("A row's product does not depend on the rows beside it, to the bit", arguments: KernelLevel.allCases)
    func rowIndependence(level: KernelLevel) {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        let kernels = FloatKernels(level: level)
        let a = randomMatrix(29, 50, seed: 1, as: Float.self)
        let packed = PackedMatrix<Float>(inner: 50, columns: 100)
        Float.kernels.pack(randomMatrix(50, 100, seed: 2, as: Float.self).view, into: packed, panels: 0..<packed.panels)
        let whole = kept(Matrix<Float>(rows: 29, columns: 100))
        kernels.product(a.view, packed, bias: nil, accumulate: false, into: whole.view)
        for size in 1...9 {
            let parts = kept(Matrix<Float>(rows: 29, columns: 100))
            for first in stride(from: 0, to: 29, by: size) {
                let rows = first..<min(29, first + size)
                kernels.product(a.view.rows(rows), packed, bias: nil, accumulate: false, into: parts.view.rows(rows))
            }
            #expect(parts.elements == whole.elements, "pieces of \(size)")
        }
    }

    @Test("Packing a transpose equals packing the transposed matrix")
    func packTransposed() {
        let b = randomMatrix(9, 37, seed: 5, as: Double.self)
        let transposed = kept(Matrix<Double>(rows: 37, columns: 9))
        for i in 0..<9 { for j in 0..<37 { transposed.view[j, i] = b.view[i, j] } }
        let identity = kept(Matrix<Double>(rows: 9, columns: 9))
        for i in 0..<9 { identity.view[i, i] = 1 }
        for packs in [
            { (p: PackedMatrix<Double>) in Double.kernels.pack(b.view, into: p, panels: 0..<p.panels) },
            { Double.kernels.pack(transposeOf: transposed.view, into: $0, panels: 0..<$0.panels) },
        ] {
            let packed = PackedMatrix<Double>(inner: 9, columns: 37)
            packs(packed)
            let product = kept(Matrix<Double>(rows: 9, columns: 37))
            Double.kernels.product(identity.view, packed, bias: nil, accumulate: false, into: product.view)
            #expect(product.elements == b.elements)
        }
    }

    /// Both sides longer than the rows in use, both with an offset or a rest beyond whole panels and blocks.
    @Test("A transposed product equals its plain definition", arguments: KernelLevel.allCases)
    func transposed(level: KernelLevel) {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        let kernels = FloatKernels(level: level)
        for (inner, rows, columns) in [
            (1, 1, 1), (7, 5, 16), (45, 20, 31), (64, 128, 100), (300, 17, 33), (520, 9, 67),
        ] {
            let a = randomMatrix(inner, rows, seed: 6, as: Float.self)
            let b = randomMatrix(inner + 4, columns, seed: 7, as: Float.self)
            let (packedA, packedB) = (
                PackedMatrix<Float>(inner: inner + 3, columns: 128),
                PackedMatrix<Float>(inner: inner + 4, columns: columns)
            )
            let sums = randomMatrix(1, rows, seed: 9, as: Float.self)
            let start = sums.elements
            kernels.pack(a.view, into: packedA, sums: sums.view)
            kernels.pack(b.view, into: packedB)
            for i in 0..<rows {
                let sum = (0..<inner).reduce(start[i]) { $0 + a.view[$1, i] }
                #expect(sums.view[0, i] == sum, "the sum of column \(i)")
            }
            for accumulate in [false, true] {
                let fast = randomMatrix(rows, columns, seed: 8, as: Float.self)
                let before = fast.elements
                kernels.product(
                    transposed: packedA, packedB, from: 2, inner: inner, accumulate: accumulate, into: fast.view)
                var expected: [Double] = []
                for i in 0..<rows {
                    for j in 0..<columns {
                        let first = accumulate ? Double(before[i * columns + j]) : 0
                        expected.append(
                            (0..<inner).reduce(first) { $0 + Double(a.view[$1, i]) * Double(b.view[$1 + 2, j]) })
                    }
                }
                let flaw = difference(fast.elements, expected, relative: 0, absolute: 1e-6 * Double(inner + 1))
                #expect(flaw == nil, "\(inner), \(rows) x \(columns), accumulate \(accumulate)")
            }
        }
    }

    @Test("Packed columns beyond the last are zero, and packing twice is packing once", arguments: KernelLevel.allCases)
    func packing(level: KernelLevel) {
        guard level.rawValue <= KernelLevel.best.rawValue else { return }
        let packed = PackedMatrix<Float>(inner: 5, columns: 150)
        for columns in [150, 130, 17, 16, 9, 8, 7, 1] {
            let matrix = randomMatrix(5, columns, seed: UInt64(columns), as: Float.self)
            for _ in 0..<2 { FloatKernels(level: level).pack(matrix.view, into: packed) }
            let whole = PackedMatrix<Float>(inner: 5, columns: columns)
            Float.kernels.pack(matrix.view, into: whole, panels: 0..<whole.panels)
            for k in 0..<5 {
                for j in 0..<columns { #expect(packed[k, j] == matrix.view[k, j]) }
                for j in columns..<(columns + 15) / 16 * 16 { #expect(packed[k, j] == 0) }
            }
            for k in 0..<5 { for j in 0..<columns { #expect(packed[k, j] == whole[k, j]) } }
        }
    }
}
