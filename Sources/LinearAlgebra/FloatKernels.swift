import CKernels
import Synchronization

/// The instruction sets that kernels can use.
package enum KernelLevel: Int32, Sendable, CaseIterable {
    /// Vector code for any processor.
    case portable = 0
    /// AVX2 with fused multiply-add (x86-64-v3).
    case avx2 = 1
    /// AVX-512 F, VL, BW and DQ (x86-64-v4).
    case avx512 = 2
    /// The same with instructions for bfloat16: the same results, faster in that precision.
    case avx512BF16 = 3

    /// The simplest level with the same results, to the bit.
    package var arithmetic: KernelLevel { self == .avx512BF16 ? .avx512 : self }

    /// The fastest level of this processor.
    package static let best = KernelLevel(rawValue: ck_best_level()) ?? .portable

    private static let chosen = Atomic<Int32>(-1)

    /// The level that networks use: the fastest one unless another was forced.
    package static var inUse: KernelLevel { KernelLevel(rawValue: chosen.load(ordering: .relaxed)) ?? .best }

    /// Forces the level for this process, so that one machine can reproduce the results of others.
    ///
    /// - Requires: nothing has been computed yet, and the processor can run the level.
    package static func force(_ level: KernelLevel) {
        chosen.store(level.rawValue, ordering: .relaxed)
        precondition(Float.kernels.level == level.rawValue, "another level is in use already")
    }

    /// The compiler that built the kernels: its version decides how sums are contracted, and so the last bits.
    package static var compiler: String { String(cString: ck_compiler()) }

    /// The C library of this machine, whose functions the kernels may call; empty if not known.
    package static var library: String { String(cString: ck_library()) }
}

/// The kernels for 32-bit floats: C loops at a level chosen once.
package struct FloatKernels: Kernels {
    package typealias Scalar = Float
    let level: Int32

    package init(level: KernelLevel = .best) {
        precondition(level.rawValue <= KernelLevel.best.rawValue, "this processor cannot run \(level)")
        self.level = level.rawValue
    }

    package func product(
        _ a: MatrixView<Float>, _ b: PackedMatrix<Float>, bias: MatrixView<Float>?, accumulate: Bool,
        into c: MatrixView<Float>
    ) {
        checkProduct(a, b, bias, c)
        switch b.precision {
        case .float32:
            ck_product(
                level, Int64(c.rows), Int64(c.columns), Int64(b.inner), a.base, Int64(a.stride), b.storage.view.base,
                bias?.base, accumulate ? 1 : 0, c.base, Int64(c.stride))
        case .bfloat16:
            ck_bfloat16_product(
                level, Int64(c.rows), Int64(c.columns), Int64(b.inner), a.base, Int64(a.stride), b.words.view.base,
                bias?.base, accumulate ? 1 : 0, c.base, Int64(c.stride))
        }
    }

    package func product(
        transposed a: PackedMatrix<Float>, _ b: PackedMatrix<Float>, from first: Int, inner: Int, accumulate: Bool,
        into c: MatrixView<Float>
    ) {
        checkTransposedProduct(a, b, first, inner, c)
        let width = PackedMatrix<Float>.panelWidth
        switch a.precision {
        case .float32:
            ck_transposed_product(
                level, Int64(c.rows), Int64(c.columns), Int64(inner), a.storage.view.base, Int64(a.panelStride),
                b.storage.view.base + first * width, Int64(b.panelStride), accumulate ? 1 : 0, c.base, Int64(c.stride))
        case .bfloat16:
            ck_bfloat16_transposed_product(
                level, Int64(c.rows), Int64(c.columns), Int64(inner), a.words.view.base, Int64(a.panelStride),
                b.words.view.base + first / 2 * width, Int64(b.panelStride), accumulate ? 1 : 0, c.base,
                Int64(c.stride))
        }
    }

    package func pack(
        _ matrix: MatrixView<Float>, into packed: PackedMatrix<Float>, fromPanel panel: Int,
        sums: MatrixView<Float>?, scatter: (ids: MatrixView<Int32>, table: MatrixView<Float>)?
    ) {
        checkPacking(matrix, packed, panel, sums, scatter)
        switch packed.precision {
        case .float32:
            ck_pack(
                level, Int64(matrix.rows), Int64(matrix.columns), matrix.base, Int64(matrix.stride),
                packed.storage.view.base + panel * packed.panelStride, Int64(packed.panelStride), sums?.base,
                scatter?.ids.base, scatter?.table.base, Int64(scatter?.table.stride ?? 0))
        case .bfloat16:
            ck_bfloat16_pack(
                level, Int64(matrix.rows), Int64(matrix.columns), matrix.base, Int64(matrix.stride),
                packed.words.view.base + panel * packed.panelStride, Int64(packed.panelStride), sums?.base,
                scatter?.ids.base, scatter?.table.base, Int64(scatter?.table.stride ?? 0))
        }
    }

    package func pack(transposeOf matrix: MatrixView<Float>, into packed: PackedMatrix<Float>, panels: Range<Int>) {
        guard packed.precision == .bfloat16 else {
            return ReferenceKernels().pack(transposeOf: matrix, into: packed, panels: panels)
        }
        checkTransposedPacking(matrix, packed, panels)
        let width = PackedMatrix<Float>.panelWidth
        let rows = panels.lowerBound * width..<min(panels.upperBound * width, matrix.rows)
        ck_bfloat16_pack_transposed(
            level, Int64(rows.count), Int64(matrix.columns), matrix.base + rows.lowerBound * matrix.stride,
            Int64(matrix.stride), packed.words.view.base + panels.lowerBound * packed.panelStride)
    }

    package func adam(
        _ step: AdamStep<Float>, parameters: MatrixView<Float>, gradient: MatrixView<Float>, mean: MatrixView<Float>,
        square: MatrixView<Float>
    ) -> Bool {
        checkRows(parameters, gradient, mean, square)
        let step = ck_adam_step(
            scale: step.scale, added_decay: step.addedDecay, beta1: step.beta1, beta2: step.beta2,
            shrink: step.shrink, size: step.size, root_scale: step.rootScale, epsilon: step.epsilon)
        return ck_adam(
            level, Int64(parameters.columns), parameters.base, gradient.base, mean.base, square.base, step) != 0
    }

    package func softmaxCrossEntropy(
        logits: MatrixView<Float>, targets: MatrixView<Int32>, scale: Float, losses: MatrixView<Double>
    ) {
        checkLoss(logits, targets, losses)
        ck_softmax_cross_entropy(
            level, Int64(logits.rows), Int64(logits.columns), logits.base, targets.base, scale, losses.base)
    }

    /// y = exp(x), tanh(x) or sigmoid(x), element by element.
    package func map(_ function: VectorFunction, _ x: MatrixView<Float>, into y: MatrixView<Float>) {
        precondition(x.rows == 1 && y.rows == 1 && x.columns == y.columns, "shapes differ")
        switch function {
        case .exp: ck_exp(level, Int64(x.columns), x.base, y.base)
        case .tanh: ck_tanh(level, Int64(x.columns), x.base, y.base)
        case .sigmoid: ck_sigmoid(level, Int64(x.columns), x.base, y.base)
        }
    }
}

package enum VectorFunction: Sendable, CaseIterable {
    case exp, tanh, sigmoid
}

extension Float: KernelScalar {
    package static let kernels = FloatKernels(level: .inUse)
}
