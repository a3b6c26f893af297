import Tokenization

/// The ids of an encoded text: its own, or those of a part of a corpus whose tokens are in a file, looked up as they are read.
package struct TextIDs: Sendable, RandomAccessCollection {
    private var own: [Int32] = []
    private var view: View?

    private struct View: Sendable {
        let corpus: Corpus
        let range: Range<Int>
        /// By the corpus's index of a symbol.
        let ids: [Int32]
        let boundary: Int32
    }

    package init() {}

    /// - Parameters:
    ///   - ids: the id of each of the corpus's symbols.
    ///   - boundary: that of a record's end.
    package init(viewing range: Range<Int>, of corpus: Corpus, ids: [Int32], boundary: Int32) {
        view = View(corpus: corpus, range: range, ids: ids, boundary: boundary)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { view?.range.count ?? own.count }

    package subscript(position: Int) -> Int32 {
        guard let view else { return own[position] }
        let symbol = view.corpus[view.range.lowerBound + position]
        return symbol == Corpus.endOfRecord ? view.boundary : view.ids[symbol]
    }

    package mutating func append(_ id: Int32) { own.append(id) }

    package mutating func reserveCapacity(_ count: Int) { own.reserveCapacity(count) }

    /// Calls `body` with each position and id, in order, and holds on to nothing.
    package func forEachID(_ body: (_ position: Int, _ id: Int32) -> Void) {
        guard let view else {
            for (position, id) in own.enumerated() { body(position, id) }
            return
        }
        view.corpus.forEachToken(in: view.range) { position, symbol in
            body(
                position - view.range.lowerBound,
                symbol == Corpus.endOfRecord ? view.boundary : view.ids[symbol])
        }
    }

    /// Lets go of what was read from a file.
    package func release() { view?.corpus.release() }
}
