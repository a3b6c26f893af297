import CharacterModel
import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Training

@testable import Tokenization

@Suite("Schedules and lanes")
struct ScheduleTests {
    @Test("The cosine falls from 1 to a hundredth, half-way in the middle; warmup rises in steps")
    func rates() {
        let cosine = Schedule.cosine
        #expect(cosine.factor(step: 0, progress: 0, warmup: 0) == 1)
        #expect(abs(cosine.factor(step: 9, progress: 0.5, warmup: 0) - 0.505) < 1e-15)
        #expect(
            abs(cosine.factor(step: 9, progress: 0.25, warmup: 0) - (0.01 + 0.495 * (1 + 0.5.squareRoot()))) < 1e-15)
        #expect(abs(cosine.factor(step: 9, progress: 1, warmup: 0) - 0.01) < 1e-15)
        #expect(abs(cosine.factor(step: 9, progress: 1.5, warmup: 0) - 0.01) < 1e-15)
        #expect(Schedule.constant.factor(step: 0, progress: 0.7, warmup: 4) == 0.25)
        #expect(Schedule.constant.factor(step: 3, progress: 0.7, warmup: 4) == 1)
        #expect(Schedule.constant.factor(step: 99, progress: 0.7, warmup: 4) == 1)
    }

    @Test("Clipping scales a gradient to the limit, and leaves smaller ones alone")
    func clipping() {
        #expect(clipFactor(norm: 5, limit: 1) == 0.2)
        #expect(clipFactor(norm: 0.5, limit: 1) == 1)
        #expect(clipFactor(norm: 0, limit: 1) == 1)
    }

    @Test("The norm of a gradient is the root of the sum of its squares", arguments: [1, 2, 5])
    func norm(threads: Int) throws {
        let model = try ModelConfiguration(hidden: 60, vocabularySize: 9)
        let gradient = kept(Parameters<Float>(model))
        let values = randomMatrix(1, gradient.all.columns, seed: 3, as: Float.self)
        gradient.all.copy(values.view)
        let expected = values.elements.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let norm = OptimizerState<Float>(.sgd, model).norm(of: gradient, using: Workers(count: threads))
        #expect(abs(norm / expected - 1) < 1e-12)
    }

    @Test(
        "In an epoch every symbol is a target once, after the symbol before it",
        arguments: [(100, 7, 8), (65, 1, 64), (1_000, 16, 20), (64, 8, 64)])
    func coverage(symbols: Int, batch: Int, window: Int) throws {
        let text = String((0..<symbols).map { Character(Unicode.Scalar(0x4E00 + $0)!) })
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        let vocabulary = Vocabulary(of: 0..<symbols, in: corpus)
        let encoded = EncodedText(corpus, vocabulary: vocabulary)
        let schedule = LaneSchedule(symbols: symbols, batch: batch, window: window)
        let model = try ModelConfiguration(hidden: 1, vocabularySize: vocabulary.count)
        let shard = Shard<Float>(model, lanes: batch, steps: window, learns: false)
        var seen = [Int](repeating: 0, count: symbols)
        var boundaries = 0
        for index in 0..<schedule.windows {
            let range = schedule.steps(ofWindow: index)
            #expect(range.count <= window)
            let predicted = shard.input.fill(schedule.lanes, of: encoded, first: range.lowerBound, steps: range.count)
            var counted = 0
            for at in 0..<range.count * batch where shard.input.targets.view[0, at] >= 0 {
                let (input, target) = (Int(shard.input.ids.view[0, at]), Int(shard.input.targets.view[0, at]))
                seen[target] += 1
                counted += 1
                if input == vocabulary.boundary {
                    boundaries += 1
                    #expect(shard.input.resets(range.count).contains(Reset(step: at / batch, lane: at % batch)))
                } else {
                    #expect(input == target - 1)
                }
            }
            #expect(counted == predicted && counted == schedule.symbols(ofWindow: index))
        }
        #expect(seen.allSatisfy { $0 == 1 })
        #expect(boundaries == batch)
    }

    @Test("A text whose tokens are in a file is encoded as one in memory")
    func encodingFromFile() throws {
        let text = (0..<1_200_000).map { UInt8(97 + $0 * $0 % 26) }
        func data(_ blocks: Int) throws -> TrainingData {
            let corpus = try Corpus(
                reading: [.bytes(text, name: "1"), .bytes(Array("zz!".utf8) + text, name: "2")], unit: .grapheme,
                normalization: .nfc, reader: TextReader(format: TextFormat()), into: TokenBuffer(limit: blocks))
            #expect(corpus.isInFile == (blocks == 1))
            return try TrainingData(corpus)
        }
        let (file, memory) = (try data(1), try data(32))
        for (a, b) in [
            (file.training, memory.training), (try #require(file.validation), try #require(memory.validation)),
        ] {
            #expect(a.ids.elementsEqual(b.ids) && a.starts == b.starts)
            #expect(a.spellingNats == b.spellingNats)
        }
        #expect(file.trainingCharacters == memory.trainingCharacters)
    }

    @Test("Each file begins with the boundary and a fresh state")
    func files() throws {
        let corpus = try Corpus(reading: [.bytes(Array("abc".utf8), name: "1"), .bytes(Array("de".utf8), name: "2")])
        let vocabulary = Vocabulary(of: 0..<5, in: corpus)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        #expect(text.starts == [0, 3])
        let model = try ModelConfiguration(hidden: 1, vocabularySize: vocabulary.count)
        let shard = Shard<Float>(model, lanes: 1, steps: 5, learns: false)
        _ = shard.input.fill([Lane(origin: 0, scored: 0..<5, startsFresh: true)], of: text, first: 0, steps: 5)
        let boundary = Int32(vocabulary.boundary)
        #expect(shard.input.ids.elements == [boundary, 0, 1, boundary, 3])
        #expect(shard.input.targets.elements == [0, 1, 2, 3, 4])
        #expect(shard.input.resets(5) == [Reset(step: 0, lane: 0), Reset(step: 3, lane: 0)])
    }

    @Test("Symbols seen once are read as unknown half of the time, depending on seed, epoch and position")
    func unknownRule() throws {
        let text = String((0..<400).map { Character(Unicode.Scalar(0x4E00 + $0)!) }) + "aabb"
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")])
        let vocabulary = Vocabulary(of: 0..<404, in: corpus)
        let encoded = EncodedText(corpus, vocabulary: vocabulary)
        let rule = UnknownRule(text: encoded, vocabularySize: vocabulary.count, seed: 5)
        func replaced(_ epoch: Int) -> [Int] { (0..<404).filter { rule.replaces(encoded.ids[$0], epoch: epoch) } }
        // Four standard deviations of a fair coin.
        #expect(abs(Double(replaced(1).count) - 200) < 40)
        #expect(replaced(1).allSatisfy { $0 < 400 })
        #expect(replaced(1) == replaced(1))
        #expect(replaced(1) != replaced(2))
    }

    @Test("The first floor((1 - f) n) symbols are the training part")
    func split() throws {
        let corpus = try Corpus(reading: [.bytes([UInt8](repeating: 0x61, count: 1_115_394), name: "t")])
        let data = try TrainingData(corpus)
        #expect(data.trainingSymbols == 1_003_854 && data.validationSymbols == 111_540)
        #expect(try TrainingData(corpus, fraction: 0).validationSymbols == 0)
    }
}
