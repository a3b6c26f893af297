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
        precondition(b.pairs == nil, "compacted by other kernels")
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

    package func compact(_ b: PackedMatrix<Scalar>) -> PackedMatrix<Scalar> {
        let compact = PackedMatrix<Scalar>(inner: b.inner, columns: b.columns)
        for k in 0..<b.inner {
            for j in 0..<b.columns {
                // To nearest, ties to even: what is left of a float's 24 bits is 8.
                let bits = Float(b[k, j]).bitPattern
                compact[k, j] = Scalar(Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000))
            }
        }
        return compact
    }

    package func product(
        transposed a: PackedMatrix<Scalar>, _ b: PackedMatrix<Scalar>, from first: Int, inner: Int, accumulate: Bool,
        into c: MatrixView<Scalar>
    ) {
        checkTransposedProduct(a, b, first, inner, c)
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = accumulate ? c.base[i * c.stride + j] : 0
                for k in 0..<inner { sum += a[k, i] * b[first + k, j] }
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
                packed[k, first + j] = matrix.base[k * matrix.stride + j]
                sums?.base[j] += matrix.base[k * matrix.stride + j]
            }
        }
        if let scatter { scatterAdd(matrix, at: scatter.ids, into: scatter.table) }
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

extension Double: KernelScalar {
    package static var kernels: ReferenceKernels<Double> { ReferenceKernels() }
}

/// The logistic function, 1 / (1 + exp(-x)).
package func sigmoid<Scalar: KernelScalar>(_ x: Scalar) -> Scalar { 1 / (1 + .exp(-x)) }
