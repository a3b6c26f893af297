import COpenBLAS

/// Fills a square matrix with a random orthogonal one (Saxe, McClelland & Ganguli 2014): rows of Gaussian numbers, each
/// made orthogonal to those before it by two rounds of classical Gram-Schmidt ("twice is enough", Giraud et al. 2005).
package func fillOrthogonal<Scalar: KernelScalar>(_ matrix: MatrixView<Scalar>, using generator: inout SplitMix64) {
    let size = matrix.columns
    precondition(matrix.rows == size, "an orthogonal matrix is square")
    BLAS.keepToOneThread()
    var q = [Double](repeating: 0, count: size * size)
    var overlaps = [Double](repeating: 0, count: size)
    let n = blasint(size)
    for row in 0..<size {
        q.withUnsafeMutableBufferPointer { all in
            let base = all.baseAddress!
            let v = base + row * size
            for column in 0..<size { v[column] = gaussian(using: &generator) }
            for _ in 0..<2 where row > 0 {
                cblas_dgemv(CblasRowMajor, CblasNoTrans, blasint(row), n, 1, base, n, v, 1, 0, &overlaps, 1)
                cblas_dgemv(CblasRowMajor, CblasTrans, blasint(row), n, -1, base, n, overlaps, 1, 1, v, 1)
            }
            cblas_dscal(n, 1 / cblas_dnrm2(n, v, 1), v, 1)
            for column in 0..<size { matrix[row, column] = Scalar(v[column]) }
        }
    }
}

/// A number from the standard normal distribution (Box & Muller 1958).
package func gaussian(using generator: inout SplitMix64) -> Double {
    let radius = (-2 * Double.log(1 - generator.uniform())).squareRoot()
    return radius * Double.cos(2 * .pi * generator.uniform())
}
