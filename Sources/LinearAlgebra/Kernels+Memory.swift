import Randomness

/// The memory-bound loops, for every type.
extension Kernels {
    package func gather(
        _ ids: MatrixView<Int32>, from table: MatrixView<Scalar>, bias: MatrixView<Scalar>?,
        into out: MatrixView<Scalar>
    ) {
        checkIDs(ids, table, out)
        precondition(bias.map { $0.rows == 1 && $0.columns == out.columns } ?? true, "the bias is not one row")
        for i in 0..<out.rows {
            let row = table.base + Int(ids.base[i]) * table.stride
            let target = out.base + i * out.stride
            if let bias {
                for j in 0..<out.columns { target[j] = bias.base[j] + row[j] }
            } else {
                target.update(from: row, count: out.columns)
            }
        }
    }

    package func scatterAdd(
        _ values: MatrixView<Scalar>, at ids: MatrixView<Int32>, into table: MatrixView<Scalar>
    ) {
        checkIDs(ids, table, values)
        for i in 0..<values.rows {
            let row = table.base + Int(ids.base[i]) * table.stride
            let value = values.base + i * values.stride
            for j in 0..<values.columns { row[j] += value[j] }
        }
    }

    package func multiply(_ x: MatrixView<Scalar>, by y: MatrixView<Scalar>) {
        precondition(x.rows == y.rows && x.columns == y.columns && x.isContiguous && y.isContiguous, "shapes differ")
        for index in 0..<x.rows * x.columns { x.base[index] *= y.base[index] }
    }

    package func sumOfSquares(_ x: MatrixView<Scalar>) -> Double {
        precondition(x.rows == 1, "one row is summed")
        var sums = SIMD8<Double>()
        let whole = x.columns - x.columns % 8
        for start in stride(from: 0, to: whole, by: 8) {
            for lane in 0..<8 {
                let value = Double(x.base[start + lane])
                sums[lane] += value * value
            }
        }
        for index in whole..<x.columns { sums[0] += Double(x.base[index]) * Double(x.base[index]) }
        return sums.sum()
    }

    package func fillDropoutMask(_ mask: MatrixView<Scalar>, keep: Double, using generator: inout SplitMix64) {
        precondition(mask.isContiguous && keep > 0 && keep <= 1, "keep is \(keep)")
        let scale = Scalar(1 / keep)
        let threshold = UInt64(keep * 0x1p32)
        var index = 0
        while index < mask.rows * mask.columns {
            let bits = generator.next()
            mask.base[index] = bits >> 32 < threshold ? scale : 0
            if index + 1 < mask.rows * mask.columns {
                mask.base[index + 1] = bits & 0xFFFF_FFFF < threshold ? scale : 0
            }
            index += 2
        }
    }
}
