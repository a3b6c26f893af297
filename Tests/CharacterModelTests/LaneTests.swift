import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

@Suite("Lanes") struct LaneTests {
    /// What is before a window is what the windows before it held, back to the last reset.
    @Test(
        "The inputs before a window are those of the text, back to a reset or the lane's beginning",
        arguments: [StatePolicy.file, .line], [nil, RecordSeparator.line])
    func before(state: StatePolicy, records: RecordSeparator?) throws {
        let texts = ["ab\nc", "", "defgabcd\n\nabc", "x", "one two three four five six\nseven"]
        let corpus = try Corpus(
            reading: texts.enumerated().map { .bytes(Array($1.utf8), name: "file \($0)") }, records: records)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary, state: state)
        let lanes = [
            Lane(origin: 0, scored: 0..<text.count, startsFresh: false),
            Lane(origin: 7, scored: 13..<text.count, startsFresh: true),
            Lane(origin: -5, scored: 0..<text.count, startsFresh: false),
        ]
        let unknown = Int32(vocabulary.id(of: try #require(corpus.symbols.last)))
        func fill(_ window: LaneWindow, first: Int, steps: Int) {
            _ = window.fill(lanes, of: text, first: first, steps: steps, replaces: { $0 == unknown })
        }
        let whole = LaneWindow(lanes: 3, steps: text.count + 5, ngrams: 6)
        fill(whole, first: 0, steps: text.count + 5)
        #expect(whole.before.elements.allSatisfy { $0 == -1 })
        let window = LaneWindow(lanes: 3, steps: 4, ngrams: 6)
        for first in 0...text.count + 1 {
            fill(window, first: first, steps: 4)
            for lane in 0..<3 {
                var expected: [Int32] = []
                for step in (0..<first).reversed() {
                    expected.append(whole.ids.view[0, step * 3 + lane])
                    if whole.resets.view[0, step * 3 + lane] != 0 { break }
                }
                expected = Array((expected + [-1, -1, -1, -1, -1]).prefix(5))
                #expect((0..<5).map { window.before.view[$0, lane] } == expected, "lane \(lane), step \(first)")
            }
        }
    }
}
