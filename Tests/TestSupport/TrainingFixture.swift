import CharacterModel
import Foundation
import RecurrentNetwork
import Tokenization
import Training

/// A folder that is gone when the test is.
package final class TemporaryFolder {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("escriba-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    package func file(_ name: String) -> String { path + "/" + name }

    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
}

/// A small training: a model, a text in memory, options.
package struct TrainingFixture {
    package var cell = CellKind.lstm
    package var layers = 1
    package var hidden = 12
    package var embedding = 0
    package var dropout = 0.0
    package var weightDropout = 0.0
    package var isTied = false
    package var text: String
    package var fraction: Double? = 0.1
    package var options = TrainingOptions()
    package var counts = false
    package var records: RecordSeparator?
    package var threads = 1
    package var metrics: String?
    package var logEvery = 10
    package var checkpointEvery = 60.0
    package var samples = SamplePlan()
    package var files: any FileSystem = SystemFiles()

    package init(text: String) {
        self.text = text
        // The same numbers on every processor.
        options.precision = .float32
    }

    package func data(vocabulary: Vocabulary? = nil) throws -> TrainingData {
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "text")], records: records)
        return try TrainingData(corpus, fraction: fraction, vocabulary: vocabulary, counts: counts)
    }

    /// Runs a training into `output`, going on from `resuming` where it is given.
    ///
    /// - Parameter stopAfter: stops after so many more steps.
    package func run(
        output: String, resuming: String? = nil, stopAfter: Int? = nil,
        observe: @escaping (TrainingEvent) -> Void = { _ in }
    ) throws -> (trainer: Trainer, ending: Trainer.Ending) {
        let checkpoint = try resuming.map { try Checkpoint(contentsOf: $0, withState: true) }
        let data = try data(vocabulary: checkpoint?.vocabulary)
        let model =
            try checkpoint?.configuration
            ?? ModelConfiguration(
                cell: cell, layers: layers, hidden: hidden, embedding: embedding,
                vocabularySize: data.vocabulary.count, isTied: isTied, dropout: dropout, weightDropout: weightDropout)
        var record = checkpoint?.training ?? TrainingRecord()
        if checkpoint == nil { record.options = options }
        var place = Trainer.Output(path: output)
        place.metricsPath = metrics
        (place.logEvery, place.checkpointEvery, place.files) = (logEvery, checkpointEvery, files)
        place.samples = samples
        let trainer = try Trainer(
            model, data: data, record: record, output: place, threads: threads, resuming: checkpoint, observe: observe)
        let last = stopAfter.map { trainer.record.step + $0 } ?? .max
        nonisolated(unsafe) let running = trainer
        do {
            return (trainer, try trainer.run { running.record.step >= last })
        } catch {
            throw error.underlying ?? error
        }
    }
}

/// Some sentences with enough variety for a vocabulary: deterministic, a few kilobytes.
package let sampleText: String = {
    let words = ["río", "pluma", "the", "scribe", "wrote", "—", "“hoy”", "bread", "lluvia,", "and", "again.\n", "ñ"]
    var state: UInt32 = 7
    return (0..<700).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return words[Int(state >> 16) % words.count]
    }.joined(separator: " ") + " end of it: Q"
}()
