import Concurrency
import LinearAlgebra
import RealModule

extension NGramCounts {
    /// Symbols that are scored in a row.
    private static let block = 500

    /// The mean nats per symbol of a text under the counts alone: an estimate from blocks that are spread evenly over it.
    ///
    /// - Parameter limit: symbols times the size of the vocabulary that are scored, at most (but one block).
    package func meanNats(of text: EncodedText, within limit: Double = 1e7, using workers: Workers) -> Double {
        precondition(text.count > 0, "an empty text")
        let wanted = Int(limit / Double(vocabulary.size) / Double(Self.block))
        let blocks = max(1, min(wanted, (text.count + Self.block - 1) / Self.block))
        let sums = Matrix<Double>(rows: 2, columns: blocks)
        workers.forEach(blocks) { index in
            let first = index * text.count / blocks
            let end = min(text.count, first + Self.block, (index + 1) * text.count / blocks)
            sums.view[0, index] = nats(of: first..<end, in: text)
            sums.view[1, index] = Double(end - first)
        }
        let all = sums.elements
        return all[0..<blocks].reduce(0, +) / all[blocks...].reduce(0, +)
    }

    private func nats(of range: Range<Int>, in text: EncodedText) -> Double {
        var cursor = NGramCursor()
        var sum = 0.0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: vocabulary.size) { probabilities in
            // A block in the middle begins with the context that is needed.
            text.forEachTarget(in: max(0, range.lowerBound - order)..<range.upperBound) { position, symbol, isFresh in
                if isFresh {
                    cursor.reset()
                    cursor.read(text.boundary, in: self)
                }
                let id = text.id(ofSymbol: symbol)
                if position >= range.lowerBound {
                    _ = cursor.predict(from: self, into: probabilities)
                    sum += text.spelling(ofSymbol: symbol) - .log(Double(probabilities[Int(id)]))
                }
                cursor.read(id, in: self)
            }
        }
        return sum
    }
}
