import RealModule

/// The kernels in plain Swift: the definition, the path of gradient checks in Double, and the oracle for the fast ones.
package struct ReferenceKernels<Scalar: KernelScalar>: Kernels {
    package init() {}

    package func product(
        _ a: MatrixView<Scalar>, _ b: PackedMatrix<Scalar>, bias: MatrixView<Scalar>?, accumulate: Bool,
        into c: MatrixView<Scalar>
    ) {
        checkProduct(a, b, bias, c)
        let width = PackedMatrix<Scalar>.panelWidth
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = accumulate ? c.base[i * c.stride + j] : bias?.base[j] ?? 0
                let panel = b.storage.view.base + (j / width) * b.inner * width + j % width
                for k in 0..<b.inner { sum += a.base[i * a.stride + k] * panel[k * width] }
                c.base[i * c.stride + j] = sum
            }
        }
    }

    package func accumulate(
        transposed a: MatrixView<Scalar>, times b: MatrixView<Scalar>, into c: MatrixView<Scalar>
    ) {
        checkTransposedProduct(a, b, c)
        for k in 0..<a.rows {
            for i in 0..<c.rows {
                let x = a.base[k * a.stride + i]
                for j in 0..<c.columns { c.base[i * c.stride + j] += x * b.base[k * b.stride + j] }
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
