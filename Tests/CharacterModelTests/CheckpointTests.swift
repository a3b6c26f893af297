import Concurrency
import Foundation
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

@testable import CharacterModel

@Suite("Checkpoint")
struct CheckpointTests {
    private func write(
        _ cell: CellKind = .lstm, embedding: Int = 0, unit: TextUnit = .grapheme, to path: String
    ) throws -> Checkpoint {
        let text = "aé\r\n👍🏽\"\\\u{0}\u{7F}\u{2028}z"
        let corpus = try Corpus(reading: [.bytes(Array(text.utf8), name: "t")], unit: unit, normalization: .none)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let model = try ModelConfiguration(
            cell: cell, layers: 2, hidden: 3, embedding: embedding, vocabularySize: vocabulary.count)
        let parameters = kept(Parameters<Float>(model))
        parameters.initialize(model, seed: 1)
        var record = TrainingRecord()
        record.bestValidation = 1.0 / 3
        record.generator = .max
        record.seconds = 0.1
        let moments = record.options.optimizer.moments.map { _ in
            let moment = kept(Parameters<Float>(model))
            moment.initialize(model, seed: 2)
            return moment
        }
        var lanes = NetworkState<Float>(model, lanes: 10)
        for state in lanes.values.indices {
            for layer in 0..<2 {
                for at in lanes.values[state][layer].indices {
                    lanes.values[state][layer][at] = Float(100 * state + 50 * layer + at)
                }
            }
        }
        let checkpoint = Checkpoint(
            configuration: model, vocabulary: vocabulary, parameters: parameters, training: record,
            state: .init(parameters: parameters, moments: moments, lanes: lanes))
        try checkpoint.write(to: path)
        return checkpoint
    }

    @Test("What is written is read back, to the bit", arguments: CellKind.allCases, [0, 4])
    func roundTrip(cell: CellKind, embedding: Int) throws {
        let folder = try TemporaryFolder()
        for unit in TextUnit.allCases {
            let path = folder.file("m.safetensors")
            let written = try write(cell, embedding: embedding, unit: unit, to: path)
            let read = try Checkpoint(contentsOf: path, withState: true)
            #expect(read.configuration == written.configuration)
            #expect(read.training == written.training)
            #expect(read.vocabulary.symbols == written.vocabulary.symbols)
            #expect(read.vocabulary.unit == unit && read.vocabulary.versions == .current)
            #expect(read.parameters.elements == written.parameters.elements)
            #expect(read.state?.lanes == written.state?.lanes)
            #expect(read.state!.moments.map { $0.elements } == written.state!.moments.map { $0.elements })
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            try read.write(to: path)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: path)) == bytes, "writing is not a function of the content")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["m.safetensors"])
        }
    }

    @Test("Tensors have PyTorch's names and shapes, in a file any safetensors library reads")
    func layout() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        let checkpoint = try write(to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length % 8 == 0)
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
        let v = checkpoint.vocabulary.count
        for (name, shape) in [
            ("rnn.weight_ih_l0", [12, v]), ("rnn.weight_hh_l1", [12, 3]), ("rnn.bias_ih_l1", [12]),
            ("decoder.weight", [v, 3]), ("optimizer.exp_avg.rnn.weight_ih_l0", [12, v]),
            ("trainer.hidden", [2, 10, 3]),
        ] {
            let entry = try #require(header[name] as? [String: Any], "\(name)")
            #expect(entry["shape"] as? [Int] == shape && entry["dtype"] as? String == "F32")
        }
        // One-hot rows lie transposed in memory: element [g, v] of the file is row v, column g there.
        let offsets = try #require((header["rnn.weight_ih_l0"] as? [String: Any])?["data_offsets"] as? [Int])
        let at = 8 + length + offsets[0] + 4 * (5 * v + 2)
        let value = Float(bitPattern: bytes[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        #expect(value == checkpoint.parameters.layers[0][0][2, 5])
    }

    private func refuses(_ bytes: [UInt8], _ path: String, _ what: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            _ = try Checkpoint(contentsOf: path, withState: true)
            Issue.record("accepted: \(what)")
        } catch {
            #expect(!error.description.isEmpty && !error.description.contains("\n"))
        }
    }

    @Test("A file cut anywhere, or with one bit flipped anywhere, is refused")
    func damage() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        _ = try write(to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let header = 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let sampled = Array(0..<header) + Array(stride(from: header, to: bytes.count, by: 97)) + [bytes.count - 1]
        for length in sampled { try refuses(Array(bytes[..<length]), path, "cut to \(length)") }
        for position in sampled {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            try refuses(damaged, path, "bit \(position % 8) of byte \(position)")
        }
        try refuses(bytes + [0], path, "a byte more")
    }

    /// A file made by hand: header text, then so many bytes of data.
    private func file(_ header: String, data: Int = 0) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    @Test("Each kind of damage has its own error")
    func errors() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        func error(_ bytes: [UInt8]) throws -> CheckpointError? {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
        }
        func entry(_ shape: String, _ offsets: String, _ dtype: String = "F32") -> String {
            "{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
        }
        #expect(try error([]) == .cutShort(path: path))
        #expect(try error(Array("Call me Ishmael. Some years ago".utf8)) == .notSafetensors(path: path))
        #expect(try error([255, 255, 255, 255, 255, 255, 255, 127] + Array("{}".utf8)) == .notSafetensors(path: path))
        #expect(try error(file("{\"a\":")) == .headerNotJSON(path: path))
        #expect(
            try error(file("{\"a\":\(entry("[1]", "[0,2]", "F16"))}", data: 2))
                == .unsupportedType(path: path, tensor: "a", type: "F16"))
        #expect(
            try error(file("{\"a\":\(entry("[4611686018427387904,4]", "[0,4]"))}", data: 4))
                == .badShape(path: path, tensor: "a"))
        #expect(try error(file("{\"a\":\(entry("[-1]", "[0,4]"))}", data: 4)) == .badShape(path: path, tensor: "a"))
        #expect(try error(file("{\"a\":\(entry("[1]", "[0,8]"))}", data: 8)) == .badOffsets(path: path, tensor: "a"))
        #expect(
            try error(file("{\"a\":\(entry("[1]", "[0,4]")),\"b\":\(entry("[1]", "[0,4]"))}", data: 4))
                == .notContiguous(path: path, tensor: "b"))
        #expect(
            try error(file("{\"a\":\(entry("[1]", "[4,8]"))}", data: 8)) == .notContiguous(path: path, tensor: "a"))
        let one = "{\"a\":\(entry("[1]", "[0,4]"))}"
        let start = 8 + one.utf8.count
        #expect(try error(file(one, data: 9)) == .wrongSize(path: path, expected: start + 4, found: start + 9))
        #expect(try error(file("{}")) == .foreign(path: path))
        #expect(
            try error(file("{\"__metadata__\":{\"format\":\"escriba\",\"version\":\"99\"}}"))
                == .newerVersion(path: path, version: "99"))
        #expect(throws: CheckpointError.missing(path: "/nowhere")) { try Checkpoint(contentsOf: "/nowhere") }
        #expect(throws: CheckpointError.unreadable(path: "/", reason: "it is not a file")) {
            try Checkpoint(contentsOf: "/")
        }
    }

    @Test("Every path has a folder")
    func folders() {
        for (path, expected) in [("x", "."), ("a/b", "a"), ("/x", "/"), ("/a/b.c", "/a"), ("é/ñ", "é"), ("", ".")] {
            #expect(folder(of: path) == expected)
        }
    }

    @Test("NaN in the weights is refused")
    func notFinite() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        let checkpoint = try write(to: path)
        checkpoint.parameters.decoderBias[0, 1] = .nan
        try checkpoint.write(to: path)
        #expect(throws: CheckpointError.notFinite(path: path, tensor: "decoder.bias")) {
            try Checkpoint(contentsOf: path)
        }
    }

    @Test("A model without training state can be used, but not resumed")
    func noState() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        let full = try write(to: path)
        try Checkpoint(
            configuration: full.configuration, vocabulary: full.vocabulary, parameters: full.parameters,
            training: full.training, state: nil
        ).write(to: path)
        #expect(throws: CheckpointError.noTrainingState(path: path)) {
            try Checkpoint(contentsOf: path, withState: true)
        }
        #expect(try LanguageModel(contentsOf: path).vocabulary.symbols == full.vocabulary.symbols)
    }

    /// Scored once by PyTorch in float64 (the parity of every release with the first).
    @Test("Checkpoints of every version ever released load and score the same", arguments: [CellKind.lstm, .gru, .rnn])
    func released(cell: CellKind) throws {
        let model = try LanguageModel(contentsOf: fixture("v1-\(cell.rawValue).safetensors"))
        #expect(model.configuration.cell == cell)
        let text = "The scribe closed the book; the river went on.\n—¿Y mañana?\n"
        let corpus = try Corpus(
            reading: [.bytes(Array(text.utf8), name: "t")], unit: model.vocabulary.unit,
            normalization: model.vocabulary.normalization)
        let nats = try model.evaluate(corpus).total.likelihood.nats
        let scores = try JSONDecoder().decode(
            [String: Double].self, from: Data(contentsOf: URL(fileURLWithPath: fixture("v1-scores.json"))))
        let expected = try #require(scores[cell.rawValue])
        #expect(abs(nats / expected - 1) < 1e-5, "\(nats) nats, expected \(expected)")
    }
}

/// `docs/checkpoint.md`, taken at its word.
@Suite("The documented format")
struct DocumentedFormatTests {
    /// The page's example and its zeros.
    private func example(_ change: (String) -> String = { $0 }) throws -> [UInt8] {
        let page = try String(contentsOf: repository.appending(path: "docs/checkpoint.md"), encoding: .utf8)
        let header = change(String(try #require(page.firstMatch(of: #/(?s)```json\n(.*?)```/#)).1))
        return withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: 116)
    }

    @Test("The example is a model that gives all ids the same probability")
    func example() throws {
        let model = LanguageModel(try Checkpoint(bytes: try example(), name: "example"))
        #expect(model.vocabulary.count == 4 && model.configuration.embedding == 0)
        for p in try model.logProbabilities(after: "ab") { #expect(abs(p + log(4)) < 1e-6) }
        let nats = try model.evaluate(model.corpus(reading: [.text("abba")])).total.likelihood.nats
        #expect(abs(nats - 4 * log(4)) < 1e-5)
        // It is written with every key, and read again.
        let folder = try TemporaryFolder()
        try model.write(to: folder.file("m.safetensors"))
        #expect(try LanguageModel(contentsOf: folder.file("m.safetensors")).tensors == model.tensors)
    }

    @Test("A missing key that the page requires is an error that names it")
    func requiredKeys() throws {
        for key in ["cell", "layers", "hidden", "vocabulary_size", "unit", "normalization", "symbols"] {
            let bytes = try example { $0.replacing("\\\"\(key)\\\"", with: "\\\"x\\\"") }
            do {
                _ = try Checkpoint(bytes: bytes, name: "example")
                Issue.record("\(key)")
            } catch { #expect("\(error)".contains("lacks \(key)"), "\(key): \(error)") }
        }
        for key in ["format", "version", "configuration", "vocabulary"] {
            let bytes = try example { $0.replacing("\"\(key)\"", with: "\"x\"") }
            #expect(throws: CheckpointError.self, "\(key)") { try Checkpoint(bytes: bytes, name: "example") }
        }
    }

    @Test("Embeddings of n-grams that are impossible, or are not there, are errors")
    func badNgrams() throws {
        for keys in [
            "ngram_embedding:1", "ngram_embedding:9", "ngram_embedding:-1",
            "ngram_embedding:3,embedding:2,ngram_rows:0",
            "ngram_embedding:3,embedding:2,ngram_rows:16777217", "ngram_embedding:8,embedding:2,ngram_rows:16777216",
            "ngram_embedding:3,embedding:2",
        ] {
            let written = keys.replacing(#/([a-z_]+):/#) { "\\\"\($0.1)\\\":" }
            let bytes = try example { $0.replacing("\\\"layers\\\"", with: written + ",\\\"layers\\\"") }
            #expect(throws: CheckpointError.self, "\(keys)") { try Checkpoint(bytes: bytes, name: "example") }
        }
        // Rows without n-grams mean nothing.
        let unused = try example { $0.replacing("\\\"layers\\\"", with: "\\\"ngram_rows\\\":5,\\\"layers\\\"") }
        #expect(try Checkpoint(bytes: unused, name: "example").configuration.ngramRows == 8_192)
    }

    @Test("Keys and tensors of later versions are ignored")
    func unknownKeys() throws {
        let bytes = try example {
            $0.replacing("{\\\"cell\\\"", with: "{\\\"colour\\\":3,\\\"cell\\\"")
                .replacing("\"format\"", with: "\"mood\": \"good\", \"format\"")
                .replacing(
                    "\"decoder.bias\"",
                    with:
                        "\"other\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [100, 100]}, \"decoder.bias\""
                )
        }
        _ = try Checkpoint(bytes: bytes, name: "example")
    }

    /// The folder of the package.
    private var repository: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }
}
