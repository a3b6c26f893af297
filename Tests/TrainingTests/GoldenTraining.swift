import CharacterModel
import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

/// A training of 60 steps, every option given, on a text that is made here.
struct GoldenTraining: Sendable {
    var name: String
    var cell = CellKind.lstm
    var nonlinearity = Nonlinearity.tanh
    var layers = 1
    var embedding = 0
    var ngrams = 0
    var isTied = false
    var dropout = 0.0
    var weightDropout = 0.0
    var optimizer = Optimizer.adamw
    var precision = Precision.float32
    var records = false
    var files = 1
    /// Where it is stopped and resumed.
    var stop: Int?

    static let hidden = 21
    static let steps = 60

    static let all: [GoldenTraining] = {
        let cells: [(String, CellKind, Nonlinearity)] = [
            ("lstm", .lstm, .tanh), ("gru", .gru, .tanh), ("rnn", .rnn, .tanh), ("rnn relu", .rnn, .relu),
            ("mingru", .mingru, .tanh),
        ]
        var all: [GoldenTraining] = []
        for (cellName, cell, nonlinearity) in cells {
            func add(_ what: String, _ change: (inout GoldenTraining) -> Void) {
                var training = GoldenTraining(name: "\(cellName), \(what)", cell: cell, nonlinearity: nonlinearity)
                change(&training)
                if training.weightDropout == 0 || cell.uses("weight-dropout") { all.append(training) }
            }
            add("one layer, one-hot") { _ in }
            add("two layers, one-hot") { $0.layers = 2 }
            add("one layer, embedded") { $0.embedding = 5 }
            add("two layers, embedded") { ($0.layers, $0.embedding) = (2, 5) }
            add("one layer, tied") { ($0.embedding, $0.isTied) = (Self.hidden, true) }
            add("two layers, tied") { ($0.layers, $0.embedding, $0.isTied) = (2, Self.hidden, true) }
            add("dropout") { ($0.layers, $0.dropout) = (2, 0.3) }
            add("weight dropout") { ($0.layers, $0.weightDropout) = (2, 0.3) }
            add("both dropouts, tied, records") {
                ($0.layers, $0.dropout, $0.weightDropout) = (2, 0.3, 0.2)
                ($0.embedding, $0.isTied, $0.records) = (Self.hidden, true, true)
            }
            add("records") { $0.records = true }
            add("files") { $0.files = 7 }
            add("resumed without weight dropout") { ($0.layers, $0.dropout, $0.stop) = (2, 0.2, 31) }
            add("bfloat16") { ($0.layers, $0.precision) = (2, .bfloat16) }
            add("bfloat16, everything, resumed") {
                ($0.layers, $0.dropout, $0.weightDropout, $0.stop) = (2, 0.3, 0.2, 23)
                ($0.embedding, $0.isTied, $0.records, $0.precision) = (Self.hidden, true, true, .bfloat16)
            }
            add("n-grams, files") { ($0.embedding, $0.ngrams, $0.files) = (5, 4, 3) }
            add("n-grams, records, resumed") {
                ($0.layers, $0.embedding, $0.ngrams, $0.records, $0.stop) = (2, 5, 3, true, 23)
            }
            add("resumed") { ($0.layers, $0.dropout, $0.weightDropout, $0.stop) = (2, 0.2, 0.2, 23) }
        }
        for optimizer in Optimizer.allCases where optimizer != .adamw {
            all.append(GoldenTraining(name: "gru, \(optimizer.rawValue)", cell: .gru, optimizer: optimizer))
        }
        return all
    }()

    /// Words of a made-up language, as lines of different lengths.
    static func text(_ lines: Int, seed: Int) -> String {
        var state = UInt64(seed)
        func draw(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let syllables = ["ka", "lo", "mi", "tén", "sur", "é", "vo", "ra", "zwi", "po", "na", "ş", "qu"]
        return (0..<lines).map { _ in
            (0...draw(6)).map { _ in (0...draw(3)).map { _ in syllables[draw(syllables.count)] }.joined() }
                .joined(separator: " ")
        }.joined(separator: "\n") + "\n"
    }

    func data(vocabulary: Vocabulary? = nil) throws -> TrainingData {
        let sources = (0..<files).map { index in
            TextSource.bytes(Array(Self.text(700 / files, seed: 11 + index).utf8), name: "text \(index)")
        }
        let corpus = try Corpus(
            reading: sources, unit: .grapheme, normalization: .nfc, records: records ? .line : nil)
        return try TrainingData(corpus, fraction: 0.1, vocabulary: vocabulary)
    }

    var options: TrainingOptions {
        var options = TrainingOptions()
        (options.batch, options.window, options.budget) = (26, 12, .steps(Self.steps))
        (options.optimizer, options.learningRate) = (optimizer, optimizer == .sgd ? 0.5 : 0.01)
        options.precision = precision
        (options.schedule, options.warmup) = (.cosine, 10)
        (options.weightDecay, options.clip, options.evaluateEvery, options.seed) = (0.01, 0.5, 20, 7)
        return options
    }

    /// The SHA-256 of the tensors in both files of the training.
    func hash(threads: Int, in folder: TemporaryFolder) throws -> String {
        let output = folder.file("\(name) \(threads).safetensors")
        try run(to: output, threads: threads, resuming: nil, stopAfter: stop)
        if stop != nil { try run(to: output, threads: threads, resuming: Self.last(output), stopAfter: nil) }
        return Tensors.sha256([output, Self.last(output)])
    }

    static func last(_ path: String) -> String { path.replacing(".safetensors", with: ".last.safetensors") }

    /// Runs the training, or goes on with it.
    ///
    /// - Parameter makeEngine: another engine than the usual one.
    func run(
        to output: String, threads: Int, resuming: String?, stopAfter: Int?,
        measuresNoise: Bool = false,
        engine makeEngine: (EngineSetup<Float>) throws -> any Engine<Float> = { ThreadedEngine($0) },
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws {
        let checkpoint = try resuming.map { try Checkpoint(contentsOf: $0, withState: true) }
        let data = try data(vocabulary: checkpoint?.vocabulary)
        let model = try ModelConfiguration(
            cell: cell, layers: layers, hidden: Self.hidden, embedding: embedding, ngramEmbedding: ngrams,
            ngramRows: 100, vocabularySize: data.vocabulary.count, nonlinearity: nonlinearity, isTied: isTied,
            dropout: dropout,
            weightDropout: weightDropout)
        var record = checkpoint?.training ?? TrainingRecord()
        if checkpoint == nil { record.options = options }
        var place = Trainer.Output(path: output)
        place.measuresNoise = measuresNoise
        let trainer = try Trainer(
            model, data: data, record: record, output: place, threads: threads, resuming: checkpoint, from: nil,
            engine: makeEngine, observe: observe)
        let end = stopAfter ?? .max
        nonisolated(unsafe) let running = trainer
        _ = try trainer.run { running.record.step >= end }
        try #require(trainer.record.step == stopAfter ?? Self.steps)
    }
}
