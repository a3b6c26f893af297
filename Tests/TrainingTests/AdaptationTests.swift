import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel
@testable import Training

@Suite("Starting from another model's weights")
struct AdaptationTests {
    private func data(_ text: String, extending known: Vocabulary? = nil) throws -> TrainingData {
        try TrainingData(
            try Corpus(reading: [.bytes(Array(text.utf8), name: "t")]), fraction: 0, extending: known)
    }

    @Test("Embeddings of n-grams are kept with the same symbols, and new with others")
    func ngrams() throws {
        let old = try data("abcdeé").vocabulary
        let configuration = try ModelConfiguration(
            hidden: 7, embedding: 4, ngramEmbedding: 3, ngramRows: 20, vocabularySize: old.count)
        let parameters = kept(Parameters<Float>(configuration))
        parameters.initialize(configuration, seed: 1)
        let checkpoint = Checkpoint(
            configuration: configuration, vocabulary: old, parameters: parameters, training: nil, state: nil)
        let same = try Adaptation(checkpoint, to: old, seed: 2).parameters
        #expect(same.ngrams!.elements == parameters.ngrams!.elements)
        let other = try Adaptation(checkpoint, to: old.extended(by: try data("xyz").vocabulary), seed: 2).parameters
        #expect(zip(other.ngrams!.elements, parameters.ngrams!.elements).allSatisfy { $0 != $1 })
        #expect(other.encoder!.rows(0..<5).elements == parameters.encoder!.rows(0..<5).elements)
    }

    @Test("Rows of symbols in both vocabularies are kept, the others are new", arguments: [0, 5], CellKind.allCases)
    func rows(embedding: Int, cell: CellKind) throws {
        let (old, new) = (try data("abcdeé").vocabulary, try data("cdxyzé").vocabulary)
        let configuration = try ModelConfiguration(
            cell: cell, layers: 2, hidden: 7, embedding: embedding, vocabularySize: old.count)
        let parameters = kept(Parameters<Float>(configuration))
        parameters.initialize(configuration, seed: 1)
        let checkpoint = Checkpoint(
            configuration: configuration, vocabulary: old, parameters: parameters, training: nil, state: nil)
        let vocabulary = old.extended(by: new)
        #expect(vocabulary.symbols.map(\.text) == ["a", "b", "c", "d", "e", "x", "y", "z", "é"])
        let adapted = try Adaptation(checkpoint, to: vocabulary, dropout: 0.2, seed: 2)
        #expect(adapted.configuration.vocabularySize == 11 && adapted.configuration.dropout == 0.2)
        let fresh = kept(Parameters<Float>(adapted.configuration))
        fresh.initialize(adapted.configuration, seed: 2)
        // Old ids of the new ones, the boundary and the unknown symbol behind them.
        let sources: [Int?] = [0, 1, 2, 3, 4, nil, nil, nil, 5, 6, 7]
        for (entry, before) in zip(adapted.parameters.layout.entries, parameters.layout.entries) {
            let (a, b, c) = (adapted.parameters[entry], parameters[before], fresh[entry])
            switch entry.role {
            case .layer where !entry.isTransposed: #expect(a.elements == b.elements, "\(entry.name)")
            default:
                let isRow = entry.role == .decoderBias
                for (id, source) in sources.enumerated() {
                    func row(_ view: MatrixView<Float>, _ id: Int) -> [Float] {
                        (isRow ? view.columns(id..<id + 1) : view.rows(id..<id + 1)).elements
                    }
                    #expect(row(a, id) == source.map { row(b, $0) } ?? row(c, id), "\(entry.name), \(id)")
                }
            }
        }
    }

    @Test("A model that starts from old weights is far ahead of a fresh one on a similar text")
    func ahead() throws {
        let folder = try TemporaryFolder()
        let text = String(repeating: sampleText, count: 6)
        var fixture = TrainingFixture(text: text)
        (fixture.hidden, fixture.fraction) = (32, 0)
        fixture.options.budget = .steps(600)
        fixture.options.window = 20
        _ = try fixture.run(output: folder.file("old.safetensors"))
        let old = try Checkpoint(contentsOf: folder.file("old.safetensors"))
        // The same language with some letters that were never seen.
        let other = try data(sampleText.replacing("the", with: "ðe"), extending: old.vocabulary)
        let adapted = try Adaptation(old, to: other.vocabulary, seed: 1)
        let fresh = Parameters<Float>(adapted.configuration)
        fresh.initialize(adapted.configuration, seed: 1)
        func nats(_ parameters: Parameters<Float>) -> Double {
            let network = Network(adapted.configuration, parameters, learns: false, using: Workers(count: 1))
            return network.scores(other.training).reduce(0, +)
                / Double(other.training.count)
        }
        let (before, after) = (nats(fresh), nats(adapted.parameters))
        #expect(after < 0.75 * before, "\(before) nats fresh, \(after) adapted")
    }
}
