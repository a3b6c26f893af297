import CharacterModel
import Concurrency
import LinearAlgebra
import RecurrentNetwork
import Tokenization

extension Corpus {
    /// The tokens of each record, its end included, in order.
    package var recordRanges: [Range<Int>] {
        var ranges: [Range<Int>] = []
        for position in 0..<count where self[position] == Self.endOfRecord {
            ranges.append((ranges.last?.upperBound ?? 0)..<position + 1)
        }
        return ranges
    }
}

extension EncodedText {
    package var ids: [Int32] {
        var ids: [Int32] = []
        forEachSymbol(in: 0..<count) { ids.append(id(ofSymbol: $1)) }
        return ids
    }

    /// The positions at which the state is fresh.
    package var starts: [Int] {
        var starts = beginnings
        var symbols: [Int32] = []
        forEachSymbol(in: 0..<count) { symbols.append($1) }
        for (position, symbol) in symbols.dropLast().enumerated() where restarts(afterSymbol: symbol) {
            starts.append(position + 1)
        }
        return Set(starts).sorted()
    }
}

extension Network {
    /// The nats of each symbol of a text.
    package func scores(_ text: EncodedText, using workers: Workers = Workers(count: 1)) -> [Double] {
        var scores: [Double] = []
        _ = scoreExactly(text, using: workers) { scores.append($0.nats) }
        return scores
    }
}
