import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

/// What single units do, and which ones tell something.
@Suite("Units")
struct UnitTests {
    private func fresh(
        _ cell: CellKind, _ text: String, records: RecordSeparator? = nil, unit: TextUnit = .grapheme, layers: Int = 2
    ) throws -> LanguageModel {
        let corpus = try Corpus(
            reading: [.text(text)], unit: unit, normalization: unit == .byte ? .none : .nfc, records: records)
        let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
        let shape = try ModelConfiguration(
            cell: cell, layers: layers, hidden: 6, embedding: 4, vocabularySize: vocabulary.count)
        let parameters = Parameters<Float>(shape)
        parameters.initialize(shape, seed: 3)
        return LanguageModel(shape, vocabulary, parameters, nil)
    }

    /// A simple network in which unit 3 is 1 from an opening bracket to its end, and -1 elsewhere; the others are noise.
    private func planted(_ text: String, unit planted: Int = 3, sign: Float = 1) throws -> LanguageModel {
        let symbols = Set(text).map { Symbol(String($0)) }.sorted()
        let vocabulary = Vocabulary(unit: .grapheme, normalization: .nfc, symbols: symbols)
        let shape = try ModelConfiguration(cell: .rnn, layers: 1, hidden: 5, vocabularySize: vocabulary.count)
        let random = Parameters<Float>(shape)
        random.initialize(shape, seed: 9)
        var tensors = LanguageModel(shape, vocabulary, random, nil).tensors
        // h' = tanh(W x + U h): it stays what it is, and brackets switch it.
        var (input, recurrent) = (tensors["rnn.weight_ih_l0"]!, tensors["rnn.weight_hh_l0"]!)
        for id in 0..<vocabulary.count {
            let text = id < symbols.count ? symbols[id].text : ""
            input.elements[planted * vocabulary.count + id] =
                sign * (text == "(" ? 20 : text == ")" || id == vocabulary.boundary ? -20 : 0)
        }
        for other in 0..<5 { recurrent.elements[planted * 5 + other] = other == planted ? 3 : 0 }
        tensors["rnn.weight_ih_l0"] = input
        tensors["rnn.weight_hh_l0"] = recurrent
        return try LanguageModel(configuration: shape, vocabulary: vocabulary, tensors: tensors)
    }

    private let bracketed = (0..<60).map { "some words (and \($0) more, Inside) and others\n" }.joined()

    @Test("A planted unit is found, named, and scored as perfect", arguments: [Float(1), -1])
    func plantedUnit(sign: Float) throws {
        let model = try planted(bracketed, sign: sign)
        let corpus = try model.corpus(reading: [.text(bracketed)])
        let units = try model.tellingUnits(over: corpus)
        let best = try #require(units.first { $0.fact == .insideBrackets })
        #expect(best.layer == 0 && best.unit == 3 && best.score == 1 && best.foundScore == 1)
        #expect(best.isInverted == (sign < 0) && best.measure == .auc)
        // The others are not perfect, and no fact is named that the text does not have.
        #expect(units.filter { $0.fact == .insideBrackets }.dropFirst().allSatisfy { $0.score < 1 })
        #expect(!units.contains { $0.fact == .insideQuotes })
        #expect(units.allSatisfy { (-1...1).contains($0.score) && (0...1).contains($0.foundScore) })
        #expect(try model.tellingUnits(over: corpus, threads: 1) == units)
        #expect(try model.tellingUnits(over: corpus, limit: 0).isEmpty)
        // What is true of the first half only is not scored.
        let half = String(bracketed.prefix(1_000)) + String(repeating: "no more of them\n", count: 70)
        let other = try model.corpus(reading: [.text(half)])
        #expect(try !model.tellingUnits(over: other).contains { $0.fact == .insideBrackets })
    }

    @Test("Facts are what a reader would say")
    func facts() throws {
        func values(_ fact: TextFact, _ text: String, unit: TextUnit = .grapheme) throws -> String {
            let corpus = try Corpus(reading: [.text(text)], unit: unit, normalization: .none)
            var reader = FactReader(symbols: corpus.symbols)
            let index = TextFact.allCases.firstIndex(of: fact)!
            return (0..<corpus.count).map { position in
                String(Int(reader.read(corpus[position], isFresh: position == 0)[index]))
            }.joined()
        }
        for (fact, text, expected) in [
            (.insideQuotes, "a “b” \"c\" d", "00110011000"), (.insideQuotes, "»a« „b“ «c»", "11001100110"),
            (.insideQuotes, "\"a\n\nb", "11100"), (.insideQuotes, "don't 'a'", "000000000"),
            (.insideBrackets, "(a[b]c)d", "11111100"), (.insideBrackets, ")a(b\n\nc", "0011100"),
            (.insideWord, "ab c1, é.", "110110010"), (.upperCase, "aB Éß", "01010"), (.digit, "a1٣b", "0110"),
            (.lineStart, "ab\n\nc", "10011"), (.positionInLine, "ab\ncd", "12012"),
            (.positionInWord, "ab cd.", "120120"),
        ] as [(TextFact, String, String)] {
            #expect(try values(fact, text) == expected, "\(fact) of \(text)")
        }
        // A carriage return is no symbol of its line.
        #expect(try values(.insideQuotes, "\"a\r\n\r\nb", unit: .scalar) == "1111100")
        #expect(try values(.lineStart, "a\r\n\r\nb", unit: .scalar) == "100011")
        // Bytes are put together to characters; within one, what was true before it still is.
        #expect(try values(.insideWord, "é a", unit: .byte) == "0101")
        #expect(try values(.insideQuotes, "“é” a", unit: .byte) == "0011111000")
        // A record begins anew, and its end is no fact.
        var reader = FactReader(symbols: ["(", "a"].map { Symbol($0) })
        _ = reader.read(0, isFresh: true)
        #expect(reader.read(Corpus.endOfRecord, isFresh: false).allSatisfy { $0 == 0 })
        #expect(reader.read(1, isFresh: true)[TextFact.allCases.firstIndex(of: .insideBrackets)!] == 0)
    }

    @Test("Words are no fact where they are not separated, or where each line is one")
    func words() throws {
        let chinese = String(repeating: "春眠不覺曉處處聞啼鳥夜來風雨聲花落知多少，", count: 40)
        let model = try fresh(.gru, chinese)
        let units = try model.tellingUnits(over: model.corpus(reading: [.text(chinese)]))
        #expect(!units.contains { [.insideWord, .positionInWord].contains($0.fact) } && !units.isEmpty)
        let names = String(repeating: "anna\nbo\nzacharias\n", count: 60)
        let records = try fresh(.gru, names, records: .line)
        let found = try records.tellingUnits(over: records.corpus(reading: [.text(names)]))
        #expect(!found.contains { $0.fact == .positionInWord } && found.contains { $0.fact == .positionInLine })
    }

    @Test("The area under the curve is the share of pairs in the right order", arguments: [1 as UInt64, 2, 3])
    func area(seed: UInt64) throws {
        // One unit of a model whose output is known: counted pair by pair.
        let model = try fresh(.gru, sampleText)
        let corpus = try model.corpus(reading: [.text(sampleText)])
        let trace = try model.trace([UnitName(layer: 1, unit: Int(seed))], over: corpus).values[0][0]
        var reader = FactReader(symbols: corpus.symbols)
        let index = TextFact.allCases.firstIndex(of: .insideWord)!
        let truth = (0..<corpus.count).map { reader.read(corpus[$0], isFresh: $0 == 0)[index] > 0 }
        let all = try model.tellingUnits(over: corpus, perFact: 12)
        let unit = try #require(all.first { ($0.layer, $0.unit, $0.fact) == (1, Int(seed), .insideWord) })
        let half = (corpus.count / 2..<corpus.count)
        var (wins, pairs) = (0.0, 0.0)
        for a in half where truth[a] {
            for b in half where !truth[b] {
                wins += trace[a] > trace[b] ? 1 : trace[a] == trace[b] ? 0.5 : 0
                pairs += 1
            }
        }
        let area = unit.isInverted ? 1 - wins / pairs : wins / pairs
        #expect(corpus.count < 40_000 && abs(area - unit.score) < 1e-9)
    }

    @Test(
        "A trace has each unit's state after each symbol, and nothing where none was read", arguments: CellKind.allCases
    )
    func trace(cell: CellKind) throws {
        let names = String(repeating: "anna\nbo\nzacharias\n", count: 40)
        let model = try fresh(cell, names, records: .line)
        let corpus = try model.corpus(reading: [.text(names)])
        let units = [UnitName(layer: 0, unit: 2), UnitName(layer: 1, unit: 5)]
        let trace = try model.trace(units, over: corpus, gates: true)
        let valves = cell.cell.valves.map { cell.cell.gates[$0] }
        #expect(trace.quantities == ["state"] + valves)
        for values in trace.values.joined() {
            #expect(values.count == corpus.count)
            // The end of a record is never read; records that are equal give equal states.
            for position in values.indices {
                #expect(values[position].isNaN == (corpus[position] == Corpus.endOfRecord))
            }
            #expect(values[0..<4].elementsEqual(values[18..<22]))
        }
        let means = try model.gateMeans(over: corpus)
        #expect(means.count == 2 && means.allSatisfy { $0.count == valves.count })
        let short = try model.trace(units, over: corpus, limit: 7).values[0][0]
        #expect(zip(short, trace.values[0][0]).allSatisfy { $0 == $1 || $0.isNaN } && short.count == 7)
        // All of a layer's units make its mean.
        let all = try model.trace((0..<6).map { UnitName(layer: 1, unit: $0) }, over: corpus, gates: true)
        for gate in valves.indices {
            let mean = (0..<6).reduce(Float(0)) { $0 + all.values[$1][gate + 1][2] } / 6
            #expect(abs(mean - means[1][gate][2]) < 1e-6)
        }
    }

    @Test("The n-grams' memory is their own score, over the same positions as the network's")
    func baseline() throws {
        let text = String(sampleText.prefix(600))
        let model = try fresh(.gru, text)
        let corpus = try model.corpus(reading: [.text(text)])
        let baseline = try Baseline(model.corpus(reading: [.text(sampleText)]), for: model)
        let curve = try baseline.memory(of: corpus)
        #expect(curve.points.map(\.context) == Array(0..<8) && curve.positions == corpus.count)
        for (point, score) in zip(curve.points, baseline.evaluate(corpus)) {
            #expect(abs(point.nats.mean - score.nats / Double(score.tokens)) < 1e-9)
        }
        #expect(
            try baseline.memory(of: corpus, positions: 50).positions
                == model.memory(of: corpus, positions: 50).positions)
    }

    @Test("Exported states, gates and losses are the network's", arguments: CellKind.allCases)
    func states(cell: CellKind) throws {
        let folder = try TemporaryFolder()
        let names = "anna\nbo\nzachärias\n"
        for (records, unit) in [(RecordSeparator.line, TextUnit.grapheme), (nil, .byte)]
            as [(RecordSeparator?, TextUnit)]
        {
            let model = try fresh(cell, names, records: records, unit: unit)
            let corpus = try model.corpus(reading: [.text(names + "x")])
            let export = try StateExport(of: corpus, for: model)
            let path = folder.file("\(unit).safetensors")
            try export.write(to: path)
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(data.count == export.bytes)
            let length = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
            let header = try #require(
                try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]])
            func floats(_ name: String) throws -> [Float] {
                let entry = try #require(header[name], "\(name)")
                let range = try #require(entry["data_offsets"] as? [Int])
                let part = data[(8 + length + range[0])..<(8 + length + range[1])]
                return part.withUnsafeBytes { bytes in
                    (0..<part.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
                }
            }
            let vocabulary = try JSONDecoder().decode(
                [String].self, from: Data(try #require(header["__metadata__"]?["vocabulary"] as? String).utf8))
            #expect(vocabulary.count == model.vocabulary.count)
            let symbols = try floats("symbols").map { Int(Int32(bitPattern: $0.bitPattern)) }
            #expect(
                symbols
                    == (0..<corpus.count).map {
                        corpus[$0] == Corpus.endOfRecord
                            ? model.vocabulary.boundary : model.vocabulary.id(of: corpus.symbols[corpus[$0]])
                    })
            let total = try model.evaluate(corpus).total.likelihood.nats
            #expect(abs(Double(try floats("losses").reduce(0, +)) / total - 1) < 1e-5)
            // The state after a symbol is in the row of the next one.
            let all = (0..<2).flatMap { layer in (0..<6).map { UnitName(layer: layer, unit: $0) } }
            let trace = try model.trace(all, over: corpus, gates: true)
            for (number, quantity) in trace.quantities.enumerated() {
                for (index, name) in all.enumerated() {
                    let values = try floats("layer\(name.layer).\(quantity == "state" ? "h" : quantity)")
                    #expect(values.count == corpus.count * 6)
                    for position in 0..<corpus.count - 1 where !trace.values[index][number][position].isNaN {
                        #expect(values[(position + 1) * 6 + name.unit] == trace.values[index][number][position])
                    }
                }
            }
            #expect(header.keys.contains("layer0.c") == (cell == .lstm))
            #expect(throws: CheckpointError.self) { try export.write(to: "/proc/none/s.safetensors") }
        }
    }
}
