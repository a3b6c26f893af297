import RealModule

/// The kernels in plain Swift: the definition, the path of gradient checks in Double, and the oracle for the fast ones.
package struct ReferenceKernels<Scalar: KernelScalar>: Kernels {
    package init() {}

    @specialized(where Scalar == Double)
    package func product(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, bias: MatrixView<Scalar>?, accumulate: Bool,
        into c: MatrixView<Scalar>
    ) {
        checkProduct(a, b, bias, c)
        guard b.precision == .float32 else { return roundedProduct(a, b, bias, accumulate, c) }
        let width = PackedMatrix<Scalar>.panelWidth
        for i in 0..<c.rows {
            for first in stride(from: 0, to: c.columns, by: width) {
                let (sums, count) = (c.base + (i * c.stride + first), min(width, c.columns - first))
                if !accumulate { for j in 0..<count { sums[j] = bias?.base[first + j] ?? 0 } }
                // Each sum runs over k in order; a panel's columns are side by side.
                for k in 0..<b.inner {
                    let (x, row) = (a.base[i * a.stride + k], b.row(k, fromColumn: first))
                    for j in 0..<count { sums[j] += x * row[j] }
                }
            }
        }
    }

    package func product(
        transposed a: PackedMatrix<Scalar>, _ b: PackedMatrix<Scalar>, from first: Int, inner: Int, accumulate: Bool,
        into c: MatrixView<Scalar>
    ) {
        checkTransposedProduct(a, b, first, inner, c)
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = accumulate ? c.base[i * c.stride + j] : 0
                switch a.precision {
                case .float32: for k in 0..<inner { sum += a[k, i] * b[first + k, j] }
                case .bfloat16:
                    for k in 0..<(inner + 1) / 2 {
                        sum = Scalar(BFloat16Pair.dot(a[pair: k, i], b[pair: first / 2 + k, j], adding: Float(sum)))
                    }
                }
                c.base[i * c.stride + j] = sum
            }
        }
    }

    @specialized(where Scalar == Double)
    package func pack(
        _ matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, fromPanel panel: Int,
        sums: MatrixView<Scalar>?, scatter: (ids: MatrixView<Int32>, table: MatrixView<Scalar>)?
    ) {
        checkPacking(matrix, packed, panel, sums, scatter)
        let first = panel * PackedMatrix<Scalar>.panelWidth
        for k in 0..<matrix.rows {
            for j in 0..<matrix.columns {
                if packed.precision == .float32 { packed[k, first + j] = matrix.base[k * matrix.stride + j] }
                sums?.base[j] += matrix.base[k * matrix.stride + j]
            }
        }
        if packed.precision == .bfloat16 {
            for k in 0..<(matrix.rows + 1) / 2 {
                for j in 0..<matrix.columns { packed[pair: k, first + j] = matrix.pair(k, column: j) }
            }
        }
        if let scatter { scatterAdd(matrix, at: scatter.ids, into: scatter.table) }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func pack(transposeOf matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, panels: Range<Int>) {
        checkTransposedPacking(matrix, packed, panels)
        let width = PackedMatrix<Scalar>.panelWidth
        for panel in panels {
            let rows = min(width, packed.columns - panel * width)
            let source = matrix.base + panel * width * matrix.stride
            switch packed.precision {
            case .float32:
                let target = packed.storage.view.base + panel * packed.panelStride
                for k in 0..<packed.inner {
                    for row in 0..<rows { target[k * width + row] = source[row * matrix.stride + k] }
                }
            case .bfloat16:
                for k in 0..<(packed.inner + 1) / 2 {
                    for row in panel * width..<panel * width + rows {
                        packed[pair: k, row] = matrix.pair(inRow: row, k)
                    }
                }
            }
        }
    }

    package func adam(
        _ step: AdamStep<Scalar>, parameters: MatrixView<Scalar>, gradient: MatrixView<Scalar>,
        mean: MatrixView<Scalar>, square: MatrixView<Scalar>
    ) -> Bool {
        checkRows(parameters, gradient, mean, square)
        let (p, g, m, v) = (parameters.base, gradient.base, mean.base, square.base)
        var isFinite = true
        for index in 0..<parameters.columns {
            let d = step.scale * g[index] + step.addedDecay * p[index]
            m[index] += (1 - step.beta1) * (d - m[index])
            v[index] = step.beta2 * v[index] + (1 - step.beta2) * d * d
            p[index] =
                step.shrink * p[index] - step.size * m[index] / (step.rootScale * v[index].squareRoot() + step.epsilon)
            isFinite = isFinite && p[index].isFinite && m[index].isFinite && v[index].isFinite
        }
        return isFinite
    }

    @specialized(where Scalar == Double)
    package func softmaxCrossEntropy(
        logits: MatrixView<Scalar>, targets: MatrixView<Int32>, scale: Scalar, losses: MatrixView<Double>
    ) {
        checkLoss(logits, targets, losses)
        for row in 0..<logits.rows {
            let x = logits.base + row * logits.stride
            let target = Int(targets.base[row])
            guard target >= 0 else {
                x.update(repeating: 0, count: logits.columns)
                losses.base[row] = 0
                continue
            }
            var highest = x[0]
            for j in 1..<logits.columns { highest = max(highest, x[j]) }
            let goal = x[target] - highest
            var sum: Scalar = 0
            for j in 0..<logits.columns {
                x[j] = .exp(x[j] - highest)
                sum += x[j]
            }
            for j in 0..<logits.columns { x[j] *= scale / sum }
            x[target] -= scale
            losses.base[row] = .log(Double(sum)) - Double(goal)
        }
    }
}

extension ReferenceKernels {
    /// c = a b + start, in bfloat16.
    private func roundedProduct(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, _ bias: MatrixView<Scalar>?, _ accumulate: Bool,
        _ c: MatrixView<Scalar>
    ) {
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = Float(accumulate ? c.base[i * c.stride + j] : bias?.base[j] ?? 0)
                for k in 0..<(b.inner + 1) / 2 {
                    sum = BFloat16Pair.dot(a.pair(inRow: i, k), b[pair: k, j], adding: sum)
                }
                c.base[i * c.stride + j] = Scalar(sum)
            }
        }
    }
}

extension MatrixView where Element: BinaryFloatingPoint {
    /// The elements in columns 2k and 2k + 1 of a row, zero beyond the last.
    fileprivate func pair(inRow row: Int, _ k: Int) -> BFloat16Pair {
        BFloat16Pair(Float(self[row, 2 * k]), 2 * k + 1 < columns ? Float(self[row, 2 * k + 1]) : 0)
    }

    /// The elements in rows 2k and 2k + 1 of a column, zero beyond the last.
    fileprivate func pair(_ k: Int, column: Int) -> BFloat16Pair {
        BFloat16Pair(Float(self[2 * k, column]), 2 * k + 1 < rows ? Float(self[2 * k + 1, column]) : 0)
    }
}

extension Double: KernelScalar {
    package static var kernels: ReferenceKernels<Double> { ReferenceKernels() }
}

/// The logistic function, 1 / (1 + exp(-x)).
package func sigmoid<Scalar: KernelScalar>(_ x: Scalar) -> Scalar { 1 / (1 + .exp(-x)) }
