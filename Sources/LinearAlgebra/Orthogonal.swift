import Randomness
import RealModule

/// Fills a square matrix with a random orthogonal one (Saxe, McClelland & Ganguli 2014): rows of Gaussian numbers, each
/// made orthogonal to those before it by two rounds of classical Gram-Schmidt ("twice is enough", Giraud et al. 2005).
package func fillOrthogonal<Scalar: KernelScalar>(_ matrix: MatrixView<Scalar>, using generator: inout SplitMix64) {
    let size = matrix.columns
    precondition(matrix.rows == size, "an orthogonal matrix is square")
    // Rows are padded with zeros to whole vectors.
    let width = (size + 7) / 8
    var q = [SIMD8<Double>](repeating: .zero, count: size * width)
    var overlaps = [Double](repeating: 0, count: size)
    q.withUnsafeMutableBufferPointer { q in
        for row in 0..<size {
            let v = q.baseAddress! + row * width
            for column in 0..<size { v[column / 8][column % 8] = gaussian(using: &generator) }
            for _ in 0..<2 {
                for above in 0..<row { overlaps[above] = dot(q.baseAddress! + above * width, v, width) }
                for above in 0..<row {
                    let u = q.baseAddress! + above * width
                    for index in 0..<width { v[index] -= overlaps[above] * u[index] }
                }
            }
            let length = dot(v, v, width).squareRoot()
            for column in 0..<size { matrix[row, column] = Scalar(v[column / 8][column % 8] / length) }
            for index in 0..<width { v[index] /= length }
        }
    }
}

private func dot(_ x: UnsafePointer<SIMD8<Double>>, _ y: UnsafePointer<SIMD8<Double>>, _ count: Int) -> Double {
    var sums = SIMD8<Double>.zero
    for index in 0..<count { sums += x[index] * y[index] }
    return sums.sum()
}
