import CharacterModel
import Randomness
import Tokenization

/// A task that only memory solves: a symbol, some filler, and the symbol again (after Hochreiter & Schmidhuber 1997, section 5.2).
///
/// Each line is a capital letter, small ones drawn at random, a question mark, and the capital again. The filler cannot be
/// predicted, and says nothing of the capital; the mark tells when to recall it, so that nothing need be counted.
public struct RecallTask {
    static let cues = Array("ABCDEFGH".utf8)
    private static let filler = Array("abcd".utf8)
    static let mark = UInt8(ascii: "?")

    /// The symbols between the two capitals, with the mark.
    let lag: Int

    /// How many lines a network learns from.
    static func lineCount(_ lag: Int) -> Int { max(400, 200_000 / (lag + 3)) }

    /// Some lines, each with its end.
    func lines(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed, stream: RandomStream.study, UInt64(lag))
        var text: [UInt8] = []
        for _ in 0..<count {
            let cue = generator.element(of: Self.cues)
            text.append(cue)
            for _ in 1..<lag { text.append(generator.element(of: Self.filler)) }
            text += [Self.mark, cue, 0x0A]
        }
        return text
    }

    /// Whether a place of such a text holds a recalled symbol.
    func isRecall(_ place: Int) -> Bool { place % (lag + 3) == lag + 1 }

    /// The share of recalled symbols that a predictor names, given what is before them.
    ///
    /// - Parameter guess: the likeliest symbol after the first symbols of the text.
    func accuracy(on text: [UInt8], guess: (_ before: Int) -> UInt8?) -> Double {
        let places = text.indices.filter { isRecall($0) }
        let right = places.filter { guess($0) == text[$0] }
        return Double(right.count) / Double(max(1, places.count))
    }
}

extension SplitMix64 {
    fileprivate mutating func element(of bytes: [UInt8]) -> UInt8 { bytes[Int(uniform() * Double(bytes.count))] }
}

extension LanguageModel {
    /// The share of recalled symbols that are the model's likeliest.
    func accuracy(of task: RecallTask, on text: [UInt8], threads: Int) throws -> Double {
        var right = Set<Int>()
        var place = 0
        let corpus = try corpus(reading: [.bytes(text, name: "recall")])
        _ = try evaluate(
            corpus, threads: threads,
            perSymbol: { score in
                if score.prediction.rank == 1 { right.insert(place) }
                place += 1
            })
        return task.accuracy(on: text) { right.contains($0) ? text[$0] : nil }
    }
}

extension RecallTask {
    /// New lines, for a network that learned from those of a seed.
    func unseen(_ seed: UInt64) -> [UInt8] { lines(max(20, min(400, 40_000 / (lag + 3))), seed: seed + 1_000) }

    /// The share of recalled symbols in lines that are new to a model of the first seed.
    public static func accuracy(of model: LanguageModel, lag: Int, threads: Int) throws -> Double {
        let task = RecallTask(lag: lag)
        return try model.accuracy(of: task, on: task.unseen(1), threads: threads)
    }

    /// Lines of the task, for those who want to repeat it by hand.
    public static func text(lag: Int) -> String {
        String(decoding: RecallTask(lag: lag).lines(RecallTask.lineCount(lag), seed: 1), as: UTF8.self)
    }
}
