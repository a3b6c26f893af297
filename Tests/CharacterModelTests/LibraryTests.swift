import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

/// What programs do with a model.
@Suite("A model in a program")
struct LibraryTests {
    private let model: LanguageModel

    init() throws { model = try LanguageModel(contentsOf: fixture("v1-lstm.safetensors")) }

    private func random(
        unit: TextUnit, records: RecordSeparator? = nil, isTied: Bool = false, normalization: Normalization = .none
    ) throws -> LanguageModel {
        let corpus = try Corpus(
            reading: [.text("aé👍🏽 b\r\nab\r\n", name: "t")], unit: unit, normalization: normalization, records: records)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let shape = try ModelConfiguration(
            cell: .gru, layers: 2, hidden: 6, embedding: isTied ? 6 : 3, vocabularySize: vocabulary.count,
            isTied: isTied)
        let parameters = Parameters<Float>(shape)
        parameters.initialize(shape, seed: 5)
        if isTied { parameters.encoder!.copy(parameters.decoderWeight) }
        return LanguageModel(shape, vocabulary, parameters, nil)
    }

    @Test("A model can score the corpus it reads", arguments: TextUnit.allCases)
    func corpora(unit: TextUnit) throws {
        for records in [nil, RecordSeparator.line, .blankLine, .text("b")] {
            for form in unit == .byte ? [Normalization.none] : Normalization.allCases {
                let model = try random(unit: unit, records: records, normalization: form)
                let corpus = try model.corpus(reading: [.text("ab é\nb"), .text("a", name: "other")])
                let score = try model.evaluate(corpus)
                #expect(score.files.map(\.name) == ["text", "other"] && score.total.likelihood.tokens == corpus.count)
            }
        }
    }

    @Test("Next-symbol probabilities sum to 1, and are the same as in scoring")
    func probabilities() throws {
        let records = try random(unit: .grapheme, records: .line)
        for model in [model, records] {
            let text = "aé"
            var nats = 0.0
            var read = ""
            for character in text + (model.vocabulary.records == nil ? "" : "\n") {
                let p = try model.logProbabilities(after: read)
                #expect(p.count == model.vocabulary.count)
                #expect(abs(p.reduce(0) { $0 + exp($1) } - 1) < 1e-9)
                let isEnd = character == "\n" && model.vocabulary.records != nil
                let id = isEnd ? model.vocabulary.boundary : model.vocabulary.id(of: Symbol(String(character)))
                nats -= p[id]
                if !isEnd && id == model.vocabulary.unknown {
                    nats += model.vocabulary.spellingCost(of: Symbol(String(character)))
                }
                read.append(character)
            }
            let scored = try model.evaluate(model.corpus(reading: [.text(read)])).total.likelihood.nats
            // Float logits on both sides.
            #expect(abs(nats / scored - 1) < 1e-5, "\(nats) and \(scored)")
        }
        #expect(try model.logProbabilities(after: "") != model.logProbabilities(after: "a"))
        // Behind the end of a record nothing before it counts.
        for (separator, end) in [
            (RecordSeparator.line, "\n"), (.blankLine, "\n\n"), (.blankLine, "\n \n"), (.text("--"), "--"),
        ] {
            let model = try random(unit: .grapheme, records: separator)
            #expect(try model.logProbabilities(after: "aé" + end + "b") == model.logProbabilities(after: "b"))
            #expect(try model.logProbabilities(after: "aé" + end) == model.logProbabilities(after: ""))
            #expect(try model.logProbabilities(after: "aé") != model.logProbabilities(after: ""))
        }
        let likeliest = try records.likeliest(3, after: "a")
        #expect(likeliest.count == 3 && likeliest[0].probability >= likeliest[2].probability)
    }

    @Test("A model is its configuration, vocabulary and tensors", arguments: [true, false])
    func tensors(isTied: Bool) throws {
        let model = try random(unit: .grapheme, records: .line, isTied: isTied)
        let again = try LanguageModel(
            configuration: model.configuration, vocabulary: model.vocabulary, tensors: model.tensors)
        #expect(again.tensors == model.tensors)
        let folder = try TemporaryFolder()
        try again.write(to: folder.file("m.safetensors"))
        let read = try LanguageModel(contentsOf: folder.file("m.safetensors"))
        #expect(read.tensors == model.tensors && read.vocabulary.symbols == model.vocabulary.symbols)
        #expect(read.vocabulary.records == .line && read.training == nil)
        #expect(
            try read.logProbabilities(after: "a") == model.logProbabilities(after: "a"))
    }

    @Test("Tensors that belong to another model are refused")
    func foreignTensors() throws {
        let model = try random(unit: .grapheme, isTied: true)
        func error(_ change: (inout ModelConfiguration, inout [String: LanguageModel.Tensor]) -> Void)
            -> CheckpointError?
        {
            var (shape, tensors) = (model.configuration, model.tensors)
            change(&shape, &tensors)
            do {
                _ = try LanguageModel(configuration: shape, vocabulary: model.vocabulary, tensors: tensors)
                return nil
            } catch { return error }
        }
        #expect(error { _, _ in } == nil)
        let path = "the model"
        #expect(error { $1["decoder.bias"] = nil } == .missingTensor(path: path, tensor: "decoder.bias"))
        #expect(error { $1["decoder.bias"]!.elements[0] = .nan } == .notFinite(path: path, tensor: "decoder.bias"))
        #expect(error { $1["decoder.bias"]!.elements.removeLast() } == .badShape(path: path, tensor: "decoder.bias"))
        let v = model.vocabulary.count
        #expect(
            error { $1["decoder.bias"]!.shape = [1, v] }
                == .wrongShape(path: path, tensor: "decoder.bias", expected: [v], found: [1, v]))
        for change: (inout ModelConfiguration, inout [String: LanguageModel.Tensor]) -> Void in [
            { $1["other"] = .init(shape: [], elements: [1]) }, { $1["encoder.weight"]!.elements[0] += 1 },
            { shape, _ in shape.vocabularySize += 1 }, { shape, _ in shape.hidden = 0 },
        ] {
            guard case .badMetadata(path, _, _) = error(change) else {
                Issue.record("\(String(describing: error(change)))")
                continue
            }
        }
        #expect(error { shape, _ in shape.cell = .lstm } != nil)
    }

    @Test("An empty text has no score, and a known record is found in any normal form")
    func smallThings() throws {
        #expect(throws: EvaluationError.empty(name: "text")) { try model.evaluate([.text("")]) }
        #expect(throws: EvaluationError.text(.missing(path: "/none"))) { try model.evaluate([.file(path: "/none")]) }
        #expect(try model.evaluate([.text("ab")], threads: -1).total.bitsPerByte > 0)
        let names = KnownRecords(of: try Corpus(reading: [.text("Zoë\nAnn\n")], records: .line))
        #expect(try names.contains("Zoe\u{308}") && names.contains("Ann") && !names.contains("An"))
    }

    @Test("A generator in a task gives the same text as elsewhere, and ends when the task is cancelled")
    func asynchronous() async throws {
        let strategy = SamplingStrategy.sampled(try Temperature(1), keeping: .everything)
        let plain = try model.generator(strategy: strategy, seed: 3).prefix(100).map(\.id)
        var ids: [Int] = []
        for await element in try model.generator(strategy: strategy, seed: 3) {
            ids.append(element.id)
            if ids.count == 100 { break }
        }
        #expect(ids == plain)
        let model = model
        let endless = Task {
            var count = 0
            // No records: it has no end of its own.
            for await _ in try model.generator(strategy: strategy, seed: 3) { count += 1 }
            return count
        }
        endless.cancel()
        // That it ends at all is the point; nothing is drawn by a task that was cancelled before.
        _ = try await endless.value
        let stopped = Task {
            var count = 0
            for await _ in try model.generator(strategy: strategy, seed: 3) {
                count += 1
                if count == 7 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            return count
        }
        #expect(try await stopped.value == 7)
    }
}
