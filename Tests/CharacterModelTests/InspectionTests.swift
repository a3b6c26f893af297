import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

/// What a network has learned, looked at from inside.
@Suite("Inspection")
struct InspectionTests {
    private struct Flow: Decodable {
        let hidden, embedding, layers, lag: Int
        let cases: [Case]

        struct Case: Decodable {
            let cell: String
            let text: String
            let tensors: [String: Tensor]
            let norms: [Norm]
            let memory: [Memory]
        }
        struct Tensor: Decodable {
            let shape: [Int]
            let elements: [Float]
        }
        struct Memory: Decodable {
            let context: Int
            let nats: Double
        }
        struct Norm: Decodable {
            let layer: Int
            let state: String
            let lag: Int
            let norm: Double
        }
    }

    private func model(
        _ cell: CellKind, _ text: String, records: RecordSeparator? = nil, unit: TextUnit = .grapheme, layers: Int = 2,
        hidden: Int = 6, ngrams: Int = 0
    ) throws -> LanguageModel {
        let corpus = try Corpus(
            reading: [.text(text)], unit: unit, normalization: unit == .byte ? .none : .nfc, records: records)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let shape = try ModelConfiguration(
            cell: cell, layers: layers, hidden: hidden, embedding: 4, ngramEmbedding: ngrams, ngramRows: 50,
            vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(shape)
        parameters.initialize(shape, seed: 3)
        // As if they were trained.
        parameters.ngrams?.assign(parameters.ngrams!.elements.map { 10 * $0 })
        return LanguageModel(shape, vocabulary, parameters, nil)
    }

    /// Both in Double; norms of up to some tens of steps of products.
    @Test("Gradient flow and memory are PyTorch's, for each cell, layer, state, lag and context")
    func gradientFlow() throws {
        let flow = try JSONDecoder().decode(
            Flow.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("gradient_flow.json"))))
        #expect(Set(flow.cases.map(\.cell)) == Set(CellKind.allCases.map(\.rawValue)))
        for fixture in flow.cases {
            let vocabulary = Vocabulary(
                unit: .grapheme, normalization: .nfc, symbols: "abcdef".map { Symbol(String($0)) })
            let model = try LanguageModel(
                configuration: ModelConfiguration(
                    cell: #require(CellKind(rawValue: fixture.cell)), layers: flow.layers, hidden: flow.hidden,
                    embedding: flow.embedding, vocabularySize: vocabulary.count),
                vocabulary: vocabulary,
                tensors: fixture.tensors.mapValues { .init(shape: $0.shape, elements: $0.elements) })
            let corpus = try model.corpus(reading: [.text(fixture.text)])
            let all = corpus.count - flow.lag - 1
            let found = try model.gradientFlow(over: corpus, longestLag: flow.lag, positions: all)
            #expect(found.positions == Array(flow.lag + 1..<corpus.count) && found.longestLag == flow.lag)
            #expect(found.points.count == fixture.norms.count)
            for norm in fixture.norms {
                let point = try #require(
                    found.points.first {
                        ($0.layer, $0.state, $0.lag) == (norm.layer, norm.state, norm.lag)
                    })
                #expect(
                    abs(point.norm.mean / norm.norm - 1) < 1e-6,
                    "\(fixture.cell) layer \(norm.layer) \(norm.state) lag \(norm.lag)")
            }
            // Memory in Float; a sum of 90 losses of some nats.
            let memory = try model.memory(of: corpus, contexts: fixture.memory.map(\.context))
            for (point, expected) in zip(memory.points, fixture.memory) {
                #expect(abs(point.nats.mean - expected.nats) < 1e-5, "\(fixture.cell) context \(expected.context)")
            }
            // As many threads as there are, the same numbers.
            #expect(
                try model.gradientFlow(over: corpus, longestLag: flow.lag, positions: all, threads: 1) == found)
        }
    }

    @Test("A scaled recurrence vanishes or explodes; the scale and the seed change nothing else")
    func otherWeights() throws {
        let model = try model(.rnn, sampleText, layers: 1, hidden: 12)
        let corpus = try model.corpus(reading: [.text(sampleText)])
        func last(_ weights: GradientFlowWeights) throws -> Double {
            let flow = try model.gradientFlow(over: corpus, longestLag: 16, positions: 40, weights: weights)
            return flow.points[16].norm.mean / flow.points[0].norm.mean
        }
        let plain = try last(GradientFlowWeights())
        #expect(try last(GradientFlowWeights(recurrentScale: 0.5)) < plain / 1_000)
        #expect(try last(GradientFlowWeights(recurrentScale: 2)) > plain)
        // The model's weights were drawn with that seed.
        #expect(try last(GradientFlowWeights(untrainedSeed: 3)) == plain)
        #expect(try last(GradientFlowWeights(untrainedSeed: 4)) != plain)
    }

    @Test("Where a state has overflowed, no norm is made up")
    func overflow() throws {
        let text = String(sampleText.prefix(900))
        let made = try model(.rnn, text, layers: 1)
        let shape = try ModelConfiguration(
            cell: .rnn, layers: 1, hidden: 6, embedding: 4, vocabularySize: made.vocabulary.count, nonlinearity: .relu)
        let relu = LanguageModel(shape, made.vocabulary, made.parameters, nil)
        let corpus = try relu.corpus(reading: [.text(text)])
        let weights = GradientFlowWeights(recurrentScale: 30)
        let flow = try relu.gradientFlow(over: corpus, longestLag: 4, positions: 100, weights: weights)
        #expect(flow.points.allSatisfy { !$0.norm.mean.isFinite || $0.norm.mean > 0 })
        #expect(flow.points.contains { !$0.norm.mean.isFinite })
    }

    @Test("A text, or records, too short for the lags get shorter ones", arguments: CellKind.allCases)
    func shortTexts(cell: CellKind) throws {
        let names = String(repeating: "anna\nbo\nzacharias\n", count: 100)
        let records = try model(cell, names, records: .line)
        let flow = try records.gradientFlow(over: records.corpus(reading: [.text(names)]), positions: 50)
        // The longest has nine symbols and an end.
        #expect(flow.longestLag == 8 && flow.positions.count == 50)
        #expect(flow.points.allSatisfy { $0.norm.mean > 0 })
        let short = try records.gradientFlow(over: records.corpus(reading: [.text("bo")]))
        #expect(short.longestLag == 0 && short.positions == [1, 2])
        // Of a text that is too short for 200, half of the positions are enough.
        let letters = try model(cell, String(repeating: "abcdefghij", count: 10))
        let half = try letters.gradientFlow(
            over: letters.corpus(reading: [.text(String(repeating: "abcdefghij", count: 10))]))
        #expect(half.longestLag == 49 && half.positions.count == 50)
    }

    /// Against scoring each context on its own, as a text of a record that began nowhere else.
    @Test("Memory is the loss of the last symbols alone, and unlimited it is the text's own")
    func memory() throws {
        for (cell, unit) in [(CellKind.gru, TextUnit.grapheme), (.lstm, .byte), (.rnn, .scalar), (.mingru, .grapheme)] {
            let text = String(sampleText.prefix(300))
            let model = try model(cell, text, unit: unit, ngrams: cell == .gru || cell == .lstm ? 4 : 0)
            let corpus = try model.corpus(reading: [.text(text)])
            let curve = try model.memory(of: corpus, contexts: [0, 1, 3, 70, 1_000])
            #expect(curve.positions == corpus.count && curve.points.map(\.context) == [0, 1, 3, 70, 1_000, nil])
            let whole = try model.evaluate(corpus).total.likelihood
            let unlimited = try #require(curve.points.last).nats.mean
            #expect(abs(unlimited - whole.nats / Double(whole.tokens)) < 1e-6)
            // More than the text has: everything, from the boundary.
            #expect(abs(curve.points[4].nats.mean - unlimited) < 1e-5)
            // The boundary alone.
            let first = try model.logProbabilities(after: "")
            let alone = (0..<corpus.count).reduce(0) { $0 - first[model.vocabulary.id(of: corpus.symbols[corpus[$1]])] }
            #expect(abs(curve.points[0].nats.mean - alone / Double(corpus.count)) < 1e-5)
            for index in 1...2 {
                let seen = nats(of: corpus, model, context: curve.points[index].context!)
                #expect(abs(curve.points[index].nats.mean - seen) < 1e-5, "\(cell)")
            }
            #expect(curve.points.allSatisfy { $0.nats.standardError! > 0 })
        }
    }

    /// The mean nats of a text, each symbol read after so many others and a zero state.
    private func nats(of corpus: Corpus, _ model: LanguageModel, context: Int) -> Double {
        let ids = (0..<corpus.count).map { model.vocabulary.id(of: corpus.symbols[corpus[$0]]) }
        let all = (0..<ids.count).map { position in
            let inputs =
                position > context
                ? Array(ids[position - context..<position]) : [model.vocabulary.boundary] + ids[..<position]
            let shard = Shard<Float>(model.configuration, lanes: 1, steps: inputs.count, learns: false)
            for (step, id) in inputs.enumerated() {
                shard.input.ids.view[0, step] = Int32(id)
                shard.input.targets.view[0, step] = step == inputs.count - 1 ? Int32(ids[position]) : -1
            }
            shard.forward(model.network, steps: inputs.count)
            return shard.loss(steps: inputs.count, scale: 1)
        }
        return all.reduce(0, +) / Double(all.count)
    }

    @Test("The gradient at a lag does not depend on where the window begins, with n-grams too", arguments: [0, 4])
    func windowsOfGradients(ngrams: Int) throws {
        let text = String(sampleText.prefix(200))
        let model = try model(.gru, text, ngrams: ngrams)
        func flow(_ symbols: Int, _ lag: Int) throws -> GradientFlow {
            try model.gradientFlow(
                over: model.corpus(reading: [.text(String(text.prefix(symbols)))]), longestLag: lag, positions: 1)
        }
        let short = try flow(200, 10)
        // The same position in the middle of what has enough before it.
        let long = try #require(
            try (80..<200).lazy.map { try flow($0, 75) }.first {
                $0.positions == short.positions && $0.longestLag == 75
            })
        for point in short.points {
            let other = try #require(
                long.points.first { $0.layer == point.layer && $0.state == point.state && $0.lag == point.lag })
            #expect(abs(point.norm.mean - other.norm.mean) < 1e-9 * point.norm.mean, "\(point.lag)")
        }
    }

    @Test("Counts below one are one, and do not trap")
    func smallCounts() throws {
        let model = try model(.gru, sampleText)
        let corpus = try model.corpus(reading: [.text("ab")])
        #expect(try model.memory(of: corpus, contexts: [], positions: 0).positions == 1)
        #expect(try model.gates(over: corpus, limit: 0).count == 24)
        #expect(try model.gradientFlow(over: corpus, longestLag: -1, positions: -5).positions.count == 1)
    }

    @Test("Records are forgotten at their ends, however much may be seen")
    func memoryOfRecords() throws {
        let names = String(repeating: "anna\nbo\nzacharias\n", count: 20)
        let model = try model(.lstm, names, records: .line)
        let corpus = try model.corpus(reading: [.text(names)])
        let curve = try model.memory(of: corpus, contexts: [20, 500])
        #expect(abs(curve.points[0].nats.mean - curve.points[2].nats.mean) < 1e-6)
        #expect(abs(curve.points[1].nats.mean - curve.points[2].nats.mean) < 1e-6)
    }

    @Test("Gates are what the cells compute, and the keeping one has a half-life", arguments: CellKind.allCases)
    func gates(cell: CellKind) throws {
        let model = try model(cell, sampleText)
        let corpus = try model.corpus(reading: [.text(sampleText)])
        let gates = try model.gates(over: corpus, limit: 500)
        let names = [
            "gru": ["reset", "update"], "lstm": ["input", "forget", "output"], "mingru": ["update"], "rnn": [],
        ]
        #expect(gates.count == names[cell.rawValue]!.count * 2 * 6)
        #expect(Set(gates.map(\.gate)) == Set(names[cell.rawValue]!))
        for gate in gates {
            #expect(gate.mean > 0 && gate.mean < 1 && gate.below + gate.above <= 1)
            let keeps = gate.gate == (cell == .lstm ? "forget" : "update")
            #expect((gate.halfLife != nil) == keeps)
            guard let half = gate.halfLife else { continue }
            // Jensen: the mean logarithm is at most the logarithm of the mean.
            let kept = cell == .mingru ? 1 - gate.mean : gate.mean
            #expect(half > 0 && half <= log(0.5) / log(kept) + 1e-9)
        }
    }
}
