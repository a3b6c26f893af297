import LinearAlgebra
import TestSupport
import Testing

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
            packed.pack(b.view, panels: 0..<packed.panels)
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
        packed.pack(randomMatrix(50, 100, seed: 2, as: Float.self).view, panels: 0..<packed.panels)
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
            { (p: PackedMatrix<Double>) in p.pack(b.view, panels: 0..<p.panels) },
            { $0.pack(transposeOf: transposed.view, panels: 0..<$0.panels) },
        ] {
            let packed = PackedMatrix<Double>(inner: 9, columns: 37)
            packs(packed)
            let product = kept(Matrix<Double>(rows: 9, columns: 37))
            Double.kernels.product(identity.view, packed, bias: nil, accumulate: false, into: product.view)
            #expect(product.elements == b.elements)
        }
    }

    @Test("The gradient product of OpenBLAS equals the plain one")
    func transposedProduct() {
        let a = randomMatrix(45, 20, seed: 6, as: Float.self)
        let b = randomMatrix(45, 31, seed: 7, as: Float.self)
        let fast = randomMatrix(20, 31, seed: 8, as: Float.self)
        let plain: Matrix<Double> = fast.converted()
        Float.kernels.accumulate(transposed: a.view.columns(3..<18), times: b.view, into: fast.view.rows(3..<18))
        let (x, y): (Matrix<Double>, Matrix<Double>) = (a.converted(), b.converted())
        Double.kernels.accumulate(transposed: x.view.columns(3..<18), times: y.view, into: plain.view.rows(3..<18))
        #expect(difference(fast.elements, plain.elements, relative: 0, absolute: 45 * 1e-6) == nil)
    }
}
