import LinearAlgebra

/// Finds the rows of n-grams in tables that are shorter than there are n-grams: by hash, so that some share a row (Pagnoni et al.
/// 2024). The hash is part of the format of a checkpoint.
package struct NgramHash: Sendable {
    private var value: UInt32

    /// - Parameter last: the last symbol of the n-gram.
    package init(last: Int32) { value = Self.mixed(0, last) }

    /// Takes the symbol before those taken so far; negative where a text begins.
    package mutating func take(_ id: Int32) { value = Self.mixed(value, id) }

    /// The row of the n-gram among so many.
    package func row(of rows: Int) -> Int { Int(value) % rows }

    @inline(__always)
    private static func mixed(_ value: UInt32, _ id: Int32) -> UInt32 {
        let product = (value ^ UInt32(bitPattern: id)) &* 0x9E37_79B1
        return product ^ (product >> 15)
    }
}

extension LaneWindow {
    /// The rows of the n-grams that end at some steps.
    ///
    /// An n-gram does not reach behind a reset; what is missing before it counts as one more symbol.
    ///
    /// - Parameters:
    ///   - steps: the steps that are looked up.
    ///   - rows: how many there are for each length.
    ///   - lookups: [N - 1, T B]: receives them, counted from the first row of each length; one row for each length from 2.
    func findNgrams(_ steps: Range<Int>, rows: Int, into lookups: MatrixView<Int32>) {
        for step in steps {
            for lane in 0..<lanes {
                let at = step * lanes + lane
                var hash = NgramHash(last: ids.view[0, at])
                var begins = resets.view[0, at] != 0
                for length in 0..<lookups.rows {
                    let place = step - 1 - length
                    let id =
                        begins ? -1 : place >= 0 ? ids.view[0, place * lanes + lane] : before.view[-1 - place, lane]
                    hash.take(id)
                    lookups[length, at] = Int32(hash.row(of: rows))
                    begins = begins || id < 0 || (place >= 0 && resets.view[0, place * lanes + lane] != 0)
                }
            }
        }
    }
}
