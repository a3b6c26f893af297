import Concurrency
import LinearAlgebra
import TestSupport
import Testing

@Suite("Threads")
struct WorkersTests {
    @Test("Tasks run once each, whatever the number of threads", arguments: [1, 2, 5])
    func workers(count: Int) {
        let hits = kept(Matrix<Int32>(rows: 1, columns: 1_003))
        Workers(count: count).forEachPiece(of: 1_003, size: 7) { range in for i in range { hits.view[0, i] += 1 } }
        #expect(hits.elements.allSatisfy { $0 == 1 })
    }
}
