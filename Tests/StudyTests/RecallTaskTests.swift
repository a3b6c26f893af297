import Randomness
import TestSupport
import Testing

@testable import Study

@Suite("The recall task")
struct RecallTaskTests {
    @Test("A predictor that copies recalls everything, one that guesses one of eight", arguments: [1, 4, 100])
    func accuracy(lag: Int) {
        let task = RecallTask(lag: lag)
        let text = task.lines(4_000, seed: 3)
        #expect(task.accuracy(on: text) { text[$0 - lag - 1] } == 1)
        var generator = SplitMix64(seed: 1)
        let guessed = task.accuracy(on: text) { _ in RecallTask.cues.randomElement(using: &generator) }
        // Six standard deviations of 4,000 draws.
        #expect(abs(guessed - 1 / 8) < 6 * (0.125 * 0.875 / 4_000).squareRoot(), "\(guessed)")
        #expect(task.accuracy(on: text) { _ in nil } == 0)
    }

    @Test("A line is a capital, filler, a mark, the capital again and an end", arguments: [1, 4, 100])
    func form(lag: Int) {
        let task = RecallTask(lag: lag)
        let text = task.lines(400, seed: 3)
        #expect(text.count == 400 * (lag + 3) && text != task.lines(400, seed: 4) && text == task.lines(400, seed: 3))
        for (place, byte) in text.enumerated() {
            let column = place % (lag + 3)
            #expect(RecallTask.cues.contains(byte) == (column == 0 || column == lag + 1), "place \(place)")
            #expect((byte == 0x0A) == (column == lag + 2), "place \(place)")
            #expect((byte == RecallTask.mark) == (column == lag), "place \(place)")
            if task.isRecall(place) { #expect(byte == text[place - lag - 1], "place \(place)") }
        }
    }
}
