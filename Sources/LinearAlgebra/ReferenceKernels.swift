import RealModule

/// The kernels in plain Swift: the definition, the path of gradient checks in Double, and the oracle for the fast ones.
package struct ReferenceKernels<Scalar: KernelScalar>: Kernels {
    package init() {}

    package func product(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, bias: MatrixView<Scalar>?, accumulate: Bool,
        into c: MatrixView<Scalar>
    ) {
        checkProduct(a, b, bias, c)
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = accumulate ? c.base[i * c.stride + j] : bias?.base[j] ?? 0
                for k in 0..<b.inner { sum += a.base[i * a.stride + k] * b[k, j] }
                c.base[i * c.stride + j] = sum
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
                for k in 0..<inner { sum += a[k, i] * b[first + k, j] }
                c.base[i * c.stride + j] = sum
            }
        }
    }

    package func pack(_ matrix: MatrixView<Scalar>, into packed: PackedMatrix<Scalar>, sums: MatrixView<Scalar>?) {
        checkPacking(matrix, packed, sums)
        for k in 0..<matrix.rows {
            for j in 0..<matrix.columns {
                packed[k, j] = matrix.base[k * matrix.stride + j]
                sums?.base[j] += matrix.base[k * matrix.stride + j]
            }
        }
    }

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
