import LinearAlgebra
import Randomness
import TestSupport
import Testing

/// The Float kernels against their Double twins: activations are in [-1, 1], so a few float ulps are about 1e-6.
@Suite("Cell kernels")
struct CellKernelTests {
    static let shapes = [(1, 1), (1, 3), (1, 7), (2, 8), (3, 9), (3, 16), (2, 17), (8, 33), (2, 100)]

    /// Runs one kernel in Float and in Double on the same numbers, and compares every matrix afterwards.
    private func compare(
        _ shapes: [(rows: Int, columns: Int)], _ what: String, bound: Double,
        fast: ([MatrixView<Float>]) -> Void, twin: ([MatrixView<Double>]) -> Void
    ) {
        let inputs = shapes.enumerated().map { index, shape in
            randomMatrix(shape.rows, shape.columns, seed: UInt64(index + 1), bound: bound, as: Float.self)
        }
        let doubles: [Matrix<Double>] = inputs.map { $0.converted() }
        fast(inputs.map(\.view))
        twin(doubles.map(\.view))
        for (index, (a, b)) in zip(inputs, doubles).enumerated() {
            let flaw = difference(a.elements, b.elements, relative: 4e-6, absolute: 2e-6)
            #expect(flaw == nil, "\(what), matrix \(index), shape \(shapes[index])")
        }
    }

    private func levels() -> [FloatKernels] {
        KernelLevel.allCases.filter { $0.rawValue <= KernelLevel.best.rawValue }.map { FloatKernels(level: $0) }
    }

    @Test("LSTM steps", arguments: shapes)
    func lstm(rows: Int, size: Int) {
        let twin = Double.kernels
        for kernels in levels() {
            compare(
                [(rows, 4 * size), (rows, 4 * size), (rows, size), (rows, size), (rows, size), (rows, size)], "forward",
                bound: 3,
                fast: {
                    kernels.lstmForward(
                        gates: $0[0], recurrent: $0[1], previousCell: $0[2], cell: $0[3], tanhCell: $0[4],
                        hidden: $0[5])
                },
                twin: {
                    twin.lstmForward(
                        gates: $0[0], recurrent: $0[1], previousCell: $0[2], cell: $0[3], tanhCell: $0[4],
                        hidden: $0[5])
                })
            compare(
                [(rows, 4 * size), (rows, size), (rows, size), (rows, size), (rows, size)], "backward", bound: 1,
                fast: {
                    kernels.lstmBackward(
                        gates: $0[0], previousCell: $0[1], tanhCell: $0[2], hiddenGradient: $0[3], cellGradient: $0[4])
                },
                twin: {
                    twin.lstmBackward(
                        gates: $0[0], previousCell: $0[1], tanhCell: $0[2], hiddenGradient: $0[3], cellGradient: $0[4])
                })
        }
    }

    @Test("GRU steps", arguments: shapes)
    func gru(rows: Int, size: Int) {
        let twin = Double.kernels
        for kernels in levels() {
            compare(
                [(rows, 3 * size), (rows, 3 * size), (rows, size), (rows, size), (rows, size)], "forward", bound: 3,
                fast: {
                    kernels.gruForward(gates: $0[0], recurrent: $0[1], previous: $0[2], candidate: $0[3], hidden: $0[4])
                },
                twin: {
                    twin.gruForward(gates: $0[0], recurrent: $0[1], previous: $0[2], candidate: $0[3], hidden: $0[4])
                })
            compare(
                [(rows, 3 * size), (rows, size), (rows, size), (rows, size), (rows, 3 * size), (rows, size)],
                "backward", bound: 1,
                fast: {
                    kernels.gruBackward(
                        gates: $0[0], candidate: $0[1], previous: $0[2], hiddenGradient: $0[3],
                        recurrentGradient: $0[4], previousGradient: $0[5])
                },
                twin: {
                    twin.gruBackward(
                        gates: $0[0], candidate: $0[1], previous: $0[2], hiddenGradient: $0[3],
                        recurrentGradient: $0[4], previousGradient: $0[5])
                })
        }
    }

    @Test("Elman steps", arguments: shapes, Nonlinearity.allCases)
    func elman(shape: (Int, Int), nonlinearity: Nonlinearity) {
        let (rows, size) = shape
        let twin = Double.kernels
        for kernels in levels() {
            compare(
                [(rows, size), (rows, size), (rows, size)], "forward", bound: 3,
                fast: { kernels.elmanForward(nonlinearity, gates: $0[0], recurrent: $0[1], hidden: $0[2]) },
                twin: { twin.elmanForward(nonlinearity, gates: $0[0], recurrent: $0[1], hidden: $0[2]) })
            compare(
                [(rows, size), (rows, size)], "backward", bound: 1,
                fast: { kernels.elmanBackward(nonlinearity, gates: $0[0], hiddenGradient: $0[1]) },
                twin: { twin.elmanBackward(nonlinearity, gates: $0[0], hiddenGradient: $0[1]) })
        }
    }

    @Test("minGRU steps", arguments: shapes)
    func minGRU(rows: Int, size: Int) {
        let twin = Double.kernels
        for kernels in levels() {
            compare(
                [(rows, 2 * size), (rows, size), (rows, size)], "forward", bound: 3,
                fast: { kernels.minGRUForward(gates: $0[0], previous: $0[1], hidden: $0[2]) },
                twin: { twin.minGRUForward(gates: $0[0], previous: $0[1], hidden: $0[2]) })
            compare(
                [(rows, 2 * size), (rows, size), (rows, size), (rows, size)], "backward", bound: 1,
                fast: {
                    kernels.minGRUBackward(
                        gates: $0[0], previous: $0[1], hiddenGradient: $0[2], previousGradient: $0[3])
                },
                twin: {
                    twin.minGRUBackward(
                        gates: $0[0], previous: $0[1], hiddenGradient: $0[2], previousGradient: $0[3])
                })
        }
    }

    @Test("Softmax cross-entropy", arguments: [(1, 1), (3, 7), (2, 8), (5, 67)])
    func softmax(rows: Int, columns: Int) {
        let targets = Matrix<Int32>(
            rows: 1, columns: rows, (0..<rows).map { $0 == 1 ? -1 : Int32(($0 * 5) % columns) })
        for kernels in levels() {
            let (a, b) = (Matrix<Double>(rows: 1, columns: rows), Matrix<Double>(rows: 1, columns: rows))
            compare(
                [(rows, columns)], "loss", bound: 3,
                fast: {
                    kernels.softmaxCrossEntropy(logits: $0[0], targets: targets.view, scale: 0.25, losses: a.view)
                },
                twin: {
                    Double.kernels.softmaxCrossEntropy(
                        logits: $0[0], targets: targets.view, scale: 0.25, losses: b.view)
                })
            #expect(difference(a.elements, b.elements, relative: 1e-6, absolute: 1e-6) == nil)
        }
    }
}
