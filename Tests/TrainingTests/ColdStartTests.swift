import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel
@testable import Training

@Suite("Cold starts")
struct ColdStartTests {
    /// How often lanes of a text start afresh at a window's beginning, behind which symbols.
    private func coldStarts(_ text: String) throws -> (windows: Int, starts: [Character]) {
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        let data = try TrainingData(corpus, fraction: 0)
        let schedule = LaneSchedule(symbols: data.trainingSymbols, batch: 8, window: 16, startsFresh: false)
        let feed = TrainingFeed(data, schedule, window: 16, seed: 3)
        let characters = Array(text)
        var starts: [Character] = []
        for epoch in 0..<4 {
            for window in 0..<schedule.windows {
                let steps = schedule.steps(ofWindow: window)
                let input = feed.window(window, epoch: epoch, step: 0, using: Workers(count: 3)).input
                for reset in input.resets(steps.count) {
                    #expect(reset.step == 0 && input.ids.view[0, reset.lane] == Int32(data.vocabulary.boundary))
                    let position = schedule.lanes[reset.lane].origin + steps.lowerBound
                    if position > 0 { starts.append(characters[position - 1]) }
                }
            }
        }
        return (4 * 8 * schedule.windows, starts)
    }

    @Test("Lanes reset their state now and then, at the start of a line if the text has lines")
    func coldStarts() throws {
        let lines = String(repeating: "ab\ncde\n", count: 2_000)
        let (windows, starts) = try coldStarts(lines)
        #expect(starts.allSatisfy { $0 == "\n" })
        // Two of seven places follow a line end, and half of those are taken.
        #expect(abs(Double(starts.count) / Double(windows) - 1.0 / 7) < 0.05)
        let (more, rare) = try coldStarts(String(repeating: "ab cde ", count: 2_000))
        #expect((1...30).contains(rare.count) || abs(Double(rare.count) / Double(more) - 0.01) < 0.01)
        #expect(try coldStarts(lines).starts == starts)
    }
}
