import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import Synchronization
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel
@testable import Training

@Suite("Training on records")
struct RecordTrainingTests {
    private func corpus(_ lines: [String]) throws -> Corpus {
        try Corpus(reading: [.bytes(Array(lines.joined(separator: "\n").utf8), name: "t")], records: .line)
    }

    private func names(_ count: Int, seed: UInt64) -> [String] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            String(
                (0..<3 + generator.next() % 6).map { _ in Character(Unicode.Scalar(97 + UInt8(generator.next() % 20))) }
            )
        }
    }

    /// The records of an encoded text, as ids without their ends.
    private func records(_ text: EncodedText) -> Set<[Int32]> {
        Set(text.ids.split(separator: text.boundary).map { Array($0) })
    }

    @Test("A record stays in its part when the corpus grows, and equal ones stay together")
    func split() throws {
        let few = names(2_000, seed: 1)
        let many = few + names(3_000, seed: 2) + few.prefix(500)
        func parts(_ lines: [String]) throws -> (Set<String>, Set<String>, Int) {
            let data = try TrainingData(try corpus(lines), fraction: 0.2)
            func texts(_ text: EncodedText) -> Set<String> {
                Set(records(text).map { String(decoding: data.vocabulary.decode($0.map(Int.init)), as: UTF8.self) })
            }
            #expect(data.trainingRecords + data.validationRecords == lines.count)
            return (texts(data.training), texts(try #require(data.validation)), data.validationRecords)
        }
        let (a, b) = (try parts(few), try parts(many))
        #expect(a.0.isSubset(of: b.0) && a.1.isSubset(of: b.1))
        #expect(b.0.isDisjoint(with: b.1))
        // Four standard deviations of a binomial share of a fifth.
        #expect(abs(Double(a.2) - 400) < 4 * (2_000 * 0.2 * 0.8).squareRoot())
    }

    @Test("Records of a validation text that also train are counted")
    func repeated() throws {
        let known = names(50, seed: 3)
        let data = try TrainingData(
            try corpus(known), validation: try corpus(known.suffix(7) + ["zzz", "yyyy"]), fraction: nil)
        #expect(data.repeatedRecords == 7 && data.validationRecords == 9 && data.trainingRecords == 50)
    }

    @Test("An epoch has every record once, in its own order, each from a fresh state")
    func epochs() throws {
        let lines = Array(Set(names(300, seed: 4))).sorted()
        let data = try TrainingData(try corpus(lines), fraction: 0)
        let schedule = LaneSchedule(symbols: data.trainingSymbols, batch: 7, window: 16, startsFresh: false)
        let feed = TrainingFeed(data, schedule, window: 16, seed: 5)
        let boundary = Int32(data.vocabulary.boundary)
        var orders: [[[Int32]]] = []
        for epoch in 0..<2 {
            var lanes = [[Int32]](repeating: [], count: 7)
            for window in 0..<schedule.windows {
                let next = feed.window(window, epoch: epoch, step: 0, using: Workers(count: 2))
                let input = next.input
                #expect(next.symbols == schedule.symbols(ofWindow: window))
                for step in 0..<next.steps {
                    for lane in 0..<7 where input.targets.view[0, step * 7 + lane] >= 0 {
                        // A boundary is read where a record begins, with a reset, and nowhere else.
                        let begins = lanes[lane].last.map { $0 == boundary }
                        let reads = input.ids.view[0, step * 7 + lane] == boundary
                        #expect(begins == nil || begins == reads)
                        #expect(reads == input.resets(next.steps).contains(Reset(step: step, lane: lane)))
                        lanes[lane].append(input.targets.view[0, step * 7 + lane])
                    }
                }
            }
            let all = lanes.flatMap { $0 }
            #expect(all.count == data.trainingSymbols)
            orders.append(all.split(separator: boundary).map { Array($0) })
        }
        // Symbols that occur once may have been read as unknown; there are none here.
        #expect(Set(orders[0]) == records(data.training) && Set(orders[1]) == Set(orders[0]))
        #expect(orders[0].count == lines.count && orders[0] != orders[1])
    }

    @Test("A training on records resumes to the bit")
    func resume() throws {
        let folder = try TemporaryFolder()
        let data = { try TrainingData(try self.corpus(self.names(400, seed: 6)), fraction: 0.1) }
        func run(_ name: String, resuming: String? = nil, stopAfter: Int? = nil) throws {
            let checkpoint = try resuming.map { try Checkpoint(contentsOf: $0, withState: true) }
            let data = try data()
            var record = checkpoint?.training ?? TrainingRecord()
            (record.options.budget, record.options.batch, record.options.window) = (.steps(40), 9, 8)
            let model = try ModelConfiguration(hidden: 8, vocabularySize: data.vocabulary.count)
            let trainer = try Trainer(
                model, data: data, record: record, output: .init(path: folder.file(name)), threads: 2,
                resuming: checkpoint)
            let left = Mutex(stopAfter ?? .max)
            _ = try trainer.run {
                left.withLock {
                    $0 -= 1
                    return $0 <= 0
                }
            }
        }
        try run("a.safetensors")
        try run("b.safetensors", stopAfter: 17)
        try run("b.safetensors", resuming: folder.file("b.last.safetensors"))
        for suffix in ["", ".last"] {
            let (a, b) = (
                try Checkpoint(contentsOf: folder.file("a\(suffix).safetensors"), withState: !suffix.isEmpty),
                try Checkpoint(contentsOf: folder.file("b\(suffix).safetensors"), withState: !suffix.isEmpty)
            )
            #expect(a.parameters.elements == b.parameters.elements && a.state?.lanes == b.state?.lanes)
            #expect(a.vocabulary.records == .line)
        }
    }

    @Test("Shuffled records are whole, whatever their lengths and wherever the validation records are")
    func shuffledWhole() throws {
        let corpus = try corpus(names(300, seed: 3))
        let data = try TrainingData(corpus, fraction: 0.4)
        let text = data.training
        var generator = SplitMix64(seed: 9)
        let shuffled = text.shuffled(text.groups(), using: &generator)
        #expect(shuffled.ids != text.ids && records(shuffled) == records(text))
        // Afresh after each end, and nowhere else.
        let ends = shuffled.ids.indices.filter { shuffled.ids[$0] == shuffled.boundary }
        #expect(shuffled.starts == [0] + ends.dropLast().map { $0 + 1 })
        // Groups of neighbours where there are many.
        let grouped = text.shuffled(text.groups(atMost: 10), using: &generator)
        #expect(text.groups(atMost: 10).count <= 10 && records(grouped) == records(text) && grouped.ids != text.ids)
    }

    @Test("A sample ends at the end of its record, and has the same probability as in scoring")
    func sample() throws {
        let corpus = try corpus(names(200, seed: 7))
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let configuration = try ModelConfiguration(hidden: 9, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(configuration)
        parameters.initialize(configuration, seed: 4)
        let model = LanguageModel(
            Checkpoint(
                configuration: configuration, vocabulary: vocabulary, parameters: parameters, training: nil, state: nil)
        )
        var ended = 0
        for stream in 0..<20 as Range<UInt64> {
            let generator = try model.generator(
                strategy: .sampled(try Temperature(1), keeping: .everything), seed: 1, stream: stream)
            let sample = Array(generator.prefix(500))
            guard let end = generator.endLogProbability else { continue }
            ended += 1
            #expect(generator.next() == nil)
            let text = sample.flatMap(\.symbol.bytes)
            guard !text.isEmpty else { continue }
            let scored = try Corpus(reading: [.bytes(text, name: "s")], records: .line)
            let encoded = EncodedText(scored, vocabulary: vocabulary)
            let nats = model.roundedNetwork.scores(encoded)
            #expect(nats.count == sample.count + 1)
            #expect(abs(sample.reduce(end) { $0 + $1.logProbability } + nats.reduce(0, +)) < 1e-4)
            #expect(try model.evaluate(scored).total.records == 1)
        }
        #expect(ended > 15)
    }
}
