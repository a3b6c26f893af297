import TestSupport
import Testing

@testable import RecurrentNetwork

@Suite("Passes of a window")
struct WindowPassesTests {
    @Test("Every group has one turn, in order, in a shard of its size that no other of its pass has", arguments: 1...12)
    func turns(atOnce: Int) {
        for groups in [[5], [8, 8], [9, 9, 8, 8, 8, 8], [7, 7, 7, 6], Array(repeating: 8, count: 20)] {
            let turns = WindowPasses(groups: groups, atOnce: atOnce)
            #expect(turns.passes.flatMap { $0.map(\.group) } == Array(groups.indices))
            for pass in turns.passes {
                #expect(pass.count <= atOnce && Set(pass.map(\.shard)).count == pass.count)
                for turn in pass { #expect(turns.shards[turn.shard] == groups[turn.group]) }
            }
            #expect(Set(turns.passes.flatMap { $0.map(\.shard) }).count == turns.shards.count)
            #expect(turns.passes.count == (groups.count + atOnce - 1) / atOnce)
        }
    }

    @Test("A pass has as many groups as fit, in equal shares of the threads, and one for each thread at least")
    func room() {
        func sizes(_ bytes: Double, _ threads: Int) -> [Int] {
            WindowPasses(groups: Array(repeating: 8, count: 8), shardBytes: 10, within: bytes, threads: threads)
                .passes.map(\.count)
        }
        #expect(
            sizes(80, 2) == [8] && sizes(79, 2) == [6, 2] && sizes(50, 2) == [4, 4] && sizes(0, 2) == [2, 2, 2, 2])
        #expect(sizes(50, 3) == [3, 3, 2] && sizes(0, 1) == Array(repeating: 1, count: 8) && sizes(0, 9) == [8])
        #expect(sizes(.infinity, 2) == [8])
    }
}
