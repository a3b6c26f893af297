import Randomness
import TestSupport
import Testing

@testable import LinearAlgebra

@Suite("bfloat16")
struct BFloat16Tests {
    /// Numbers of one kind each: ordinary ones, those whose products are about as small as the least normal number, any
    /// bits at all, and a list of hostile ones.
    enum Numbers: CaseIterable {
        case ordinary, tiny, any, hostile

        func draw(_ generator: inout SplitMix64) -> Float {
            let bits = UInt32(truncatingIfNeeded: generator.next())
            switch self {
            case .ordinary: return Float(bitPattern: bits & 0x807F_FFFF | (112 + bits >> 24 % 16) << 23)
            case .tiny: return Float(bitPattern: bits & 0x807F_FFFF | (58 + bits >> 24 % 12) << 23)
            case .any: return Float(bitPattern: bits)
            case .hostile:
                let all: [Float] = [
                    0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
                    .leastNormalMagnitude, -.leastNormalMagnitude, Float.leastNormalMagnitude.nextDown,
                    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1, Float(1).nextUp, 0x1p-63, -0x1p-63,
                ]
                return all[Int(bits % UInt32(all.count))]
            }
        }

        func matrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
            var generator = SplitMix64(seed: seed, stream: 98)
            return kept(
                Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in draw(&generator) }))
        }

        /// Where sums start: of the size of the products.
        func start(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
            let matrix = matrix(rows, columns, seed: seed)
            if self == .tiny {
                for j in 0..<rows * columns { matrix.view.base[j] *= Float(sign: .plus, exponent: -64, significand: 1) }
            }
            return matrix
        }
    }

    static let levels = KernelLevel.allCases.filter { $0.rawValue <= KernelLevel.best.rawValue }

    /// The bits, all kinds of NaN alike.
    static func bits(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }

    /// The neighbours of x among the numbers with 8 significant bits are found by cutting bits off.
    @Test("Rounding takes the nearest number, of two the even one")
    func rounding() {
        var generator = SplitMix64(seed: 1, stream: 1)
        for _ in 0..<200_000 {
            let x = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            guard x.isNormal, x.magnitude < 0x1p127 else { continue }
            let down = Float(bitPattern: x.bitPattern & 0xFFFF_0000)
            let up = Float(bitPattern: down.bitPattern + 0x1_0000)
            let (below, above) = (Double(x) - Double(down), Double(up) - Double(x))
            let even = down.bitPattern >> 16 & 1 == 0 ? down : up
            let nearest = below.magnitude == above.magnitude ? even : below.magnitude < above.magnitude ? down : up
            #expect(BFloat16(x).float == nearest, "\(x)")
        }
        // Halfway cases, which random numbers hardly meet.
        let halfway: [(Float, Float)] = [
            (0x1.01p0, 1), (0x1.03p0, 0x1.04p0), (Float(0x1.01p0).nextUp, 0x1.02p0), (.infinity, .infinity),
            (.greatestFiniteMagnitude, .infinity), (-.greatestFiniteMagnitude, -.infinity),
            (.leastNormalMagnitude, .leastNormalMagnitude),
        ]
        for (x, rounded) in halfway { #expect(BFloat16(x).float == rounded, "\(x)") }
        for x in [Float.leastNonzeroMagnitude, Float.leastNormalMagnitude.nextDown, 0] {
            #expect(BFloat16(x).bits == 0 && BFloat16(-x).bits == 0x8000)
        }
        #expect(BFloat16(.nan).float.isNaN && BFloat16(Float(bitPattern: 0x7F80_0001)).float.isNaN)
    }

    /// Double holds the product, and its sum with a float of similar size, exactly.
    @Test("A step of a sum adds the second product, then the first, rounded to float each time")
    func dot() {
        var generator = SplitMix64(seed: 2, stream: 1)
        var ordered = 0
        for _ in 0..<100_000 {
            let x = BFloat16Pair(Numbers.ordinary.draw(&generator), Numbers.ordinary.draw(&generator))
            let y = BFloat16Pair(Numbers.ordinary.draw(&generator), Numbers.ordinary.draw(&generator))
            let sum = Numbers.ordinary.draw(&generator)
            func adding(_ a: (Float, Float), _ b: (Float, Float)) -> Float {
                let half = Float(Double(sum) + Double(a.0) * Double(a.1))
                return Float(Double(half) + Double(b.0) * Double(b.1))
            }
            let (first, second) = ((x.first, y.first), (x.second, y.second))
            #expect(BFloat16Pair.dot(x, y, adding: sum) == adding(second, first))
            if adding(second, first) != adding(first, second) { ordered += 1 }
        }
        #expect(ordered > 5_000, "the order hardly mattered")
    }

    /// Half of the spacing of denormals below the least normal number, results round up to it: as if exponents had no bound, the
    /// border is a quarter.
    @Test("A sum that is denormal before it is rounded becomes zero")
    func border() {
        let least = Float.leastNormalMagnitude
        let parts: [(Double, Float)] = [
            (0x1p-150, 0), (0x1.8p-151, 0), (0x1.02p-151, 0), (0x1p-151, least), (0x1p-152, least),
        ]
        for (part, expected) in parts {
            let (x, y) = (Float(part * 0x1p75), Float(-0x1p-75))
            for pair in [(BFloat16Pair(x, 0), BFloat16Pair(y, 0)), (BFloat16Pair(0, x), BFloat16Pair(0, y))] {
                #expect(BFloat16Pair.dot(pair.0, pair.1, adding: least) == expected)
                for level in Self.levels {
                    let b = PackedMatrix<Float>(inner: 2, columns: 1, precision: .bfloat16)
                    b[pair: 0, 0] = pair.1
                    let c = kept(Matrix<Float>(rows: 1, columns: 1, [least]))
                    let a = kept(Matrix<Float>(rows: 1, columns: 2, [pair.0.first, pair.0.second]))
                    FloatKernels(level: level).product(a.view, b, bias: nil, accumulate: true, into: c.view)
                    #expect(c.elements == [expected], "\(part) at \(level)")
                }
            }
        }
    }

    @Test("Products are those of plain Swift, bit for bit", arguments: levels, Numbers.allCases)
    func products(level: KernelLevel, numbers: Numbers) {
        let (fast, plain) = (FloatKernels(level: level), ReferenceKernels<Float>())
        for (rows, inner, columns) in [
            (1, 1, 1), (1, 33, 150), (2, 7, 16), (3, 16, 17), (5, 2, 70), (8, 33, 40), (9, 20, 33), (13, 9, 66),
            (34, 5, 20), (3, 515, 18), (2, 1_024, 3),
        ] {
            let a = numbers.matrix(rows, inner, seed: 1)
            let transposed = numbers.matrix(columns, inner, seed: 2)
            let bias = numbers.start(1, columns, seed: 3)
            let b = PackedMatrix<Float>(inner: inner, columns: columns, precision: .bfloat16)
            fast.pack(transposeOf: transposed.view, into: b, panels: 0..<b.panels)
            for (bias, accumulate) in [(nil, false), (bias.view, false), (nil, true)] {
                let results = [fast as any Kernels<Float>, plain].map { kernels in
                    let c = numbers.start(rows, columns, seed: 4)
                    kernels.product(a.view, b, bias: bias, accumulate: accumulate, into: c.view)
                    return Self.bits(c.elements)
                }
                #expect(results[0] == results[1], "\(rows) x \(inner) x \(columns), accumulate \(accumulate)")
            }
        }
    }

    @Test("Transposed products are those of plain Swift, bit for bit", arguments: levels, Numbers.allCases)
    func transposedProducts(level: KernelLevel, numbers: Numbers) {
        let (fast, plain) = (FloatKernels(level: level), ReferenceKernels<Float>())
        for (inner, rows, columns) in [(1, 1, 1), (7, 5, 16), (45, 20, 31), (64, 128, 33), (513, 9, 17)] {
            let a = PackedMatrix<Float>(inner: inner + 3, columns: 128, precision: .bfloat16)
            let b = PackedMatrix<Float>(inner: inner + 4, columns: columns, precision: .bfloat16)
            fast.pack(numbers.matrix(inner, rows, seed: 6).view, into: a)
            fast.pack(numbers.matrix(inner + 4, columns, seed: 7).view, into: b)
            for accumulate in [false, true] {
                let results = [fast as any Kernels<Float>, plain].map { kernels in
                    let c = numbers.start(rows, columns, seed: 8)
                    kernels.product(transposed: a, b, from: 2, inner: inner, accumulate: accumulate, into: c.view)
                    return Self.bits(c.elements)
                }
                #expect(results[0] == results[1], "\(inner), \(rows) x \(columns), accumulate \(accumulate)")
            }
        }
    }

    /// What was in a packed matrix before does not show.
    @Test("Packing is that of plain Swift, bit for bit; sums and rows of a table are not rounded", arguments: levels)
    func packing(level: KernelLevel) {
        let (fast, plain) = (FloatKernels(level: level), ReferenceKernels<Float>())
        for numbers in Numbers.allCases {
            for (rows, columns) in [(1, 1), (5, 8), (6, 9), (7, 16), (8, 17), (3, 130), (2, 150)] {
                let matrix = numbers.matrix(rows, columns, seed: UInt64(rows))
                let transposed = numbers.matrix(columns, rows, seed: UInt64(columns))
                let ids = kept(Matrix<Int32>(rows: 1, columns: rows, (0..<rows).map { Int32($0 % 3) }))
                let results = [fast as any Kernels<Float>, plain].map { kernels in
                    let packed = PackedMatrix<Float>(inner: rows, columns: columns, precision: .bfloat16)
                    let other = PackedMatrix<Float>(inner: rows, columns: columns, precision: .bfloat16)
                    packed.words.view.fill(0xFFFF_FFFF)
                    let (sums, table) = (numbers.matrix(1, columns, seed: 3), numbers.matrix(3, columns, seed: 4))
                    kernels.pack(
                        matrix.view, into: packed, fromPanel: 0, sums: sums.view, scatter: (ids.view, table.view))
                    kernels.pack(transposeOf: transposed.view, into: other, panels: 0..<other.panels)
                    func words(_ packed: PackedMatrix<Float>, _ columns: Range<Int>) -> [UInt32] {
                        columns.flatMap { column in (0..<(rows + 1) / 2).map { packed[pair: $0, column].word } }
                    }
                    // The fast ones also clear what is beyond the last column.
                    let rest = columns..<(columns + 15) / 16 * 16
                    #expect(kernels is ReferenceKernels<Float> || words(packed, rest).allSatisfy { $0 == 0 })
                    return [words(packed, 0..<columns), words(other, 0..<columns)]
                        + [Self.bits(sums.elements), Self.bits(table.elements)]
                }
                for part in 0..<4 {
                    #expect(results[0][part] == results[1][part], "part \(part), \(rows) x \(columns)")
                }
            }
        }
    }

    @Test("A row's product does not depend on the rows beside it, to the bit", arguments: levels)
    func rowIndependence(level: KernelLevel) {
        let kernels = FloatKernels(level: level)
        let a = randomMatrix(71, 50, seed: 1, as: Float.self)
        let packed = PackedMatrix<Float>(inner: 50, columns: 100, precision: .bfloat16)
        kernels.pack(randomMatrix(50, 100, seed: 2, as: Float.self).view, into: packed)
        let whole = kept(Matrix<Float>(rows: 71, columns: 100))
        kernels.product(a.view, packed, bias: nil, accumulate: false, into: whole.view)
        for size in 1...9 {
            let parts = kept(Matrix<Float>(rows: 71, columns: 100))
            for first in stride(from: 0, to: 71, by: size) {
                let rows = first..<min(71, first + size)
                kernels.product(a.view.rows(rows), packed, bias: nil, accumulate: false, into: parts.view.rows(rows))
            }
            #expect(parts.elements == whole.elements, "pieces of \(size)")
        }
    }
}
