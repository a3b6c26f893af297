import CharacterModel
import Testing

@Suite("Texts generated together")
struct TextBatchTests {
    private struct Text {
        var ids: [Int] = []
        var logProbabilities: [Double] = []

        mutating func add(_ element: TextGenerator.Element) {
            ids.append(element.id)
            logProbabilities.append(element.logProbability)
        }
    }

    private func generator(
        _ model: LanguageModel, _ stream: Int, isExact: Bool = false
    ) throws -> TextGenerator {
        let filters = [
            SamplingFilter.everything, try SamplingFilter(topK: 5), try SamplingFilter(topP: 0.9),
        ]
        let prompts = ["", "the ", String(repeating: "wrote and again, ", count: 8)]
        return try model.generator(
            prompt: prompts[stream % 3], strategy: .sampled(try Temperature(1), keeping: filters[stream / 3 % 3]),
            penalty: stream % 5 == 0 ? try RepetitionPenalty(1.3) : .none, seed: 5, stream: UInt64(stream),
            isExact: isExact)
    }

    /// Texts of different lengths join at different times; as some end, others take their places.
    @Test(
        "A text is the same alone and among others that come and go, to the bit",
        arguments: ["v1-lstm", "v1-gru", "v1-rnn"], [1, 3])
    func together(name: String, threads: Int) throws {
        let model = try LanguageModel(contentsOf: fixture("\(name).safetensors"))
        for isExact in [false, true] {
            let lengths = (0..<70).map { 3 + $0 * 7 % 23 }
            let batch = TextBatch(model, threads: threads)
            var texts = [Text](repeating: Text(), count: lengths.count)
            var live: [(stream: Int, generator: TextGenerator)] = []
            var (next, sizes): (Int, Set<Int>) = (0, [])
            while next < lengths.count || !live.isEmpty {
                for _ in 0..<next % 5 + 1 where next < lengths.count {
                    live.append((next, try generator(model, next, isExact: isExact)))
                    next += 1
                }
                sizes.insert(live.count)
                for (text, element) in zip(live, batch.next(live.map(\.generator))) {
                    texts[text.stream].add(try #require(element))
                }
                live.removeAll { texts[$0.stream].ids.count == lengths[$0.stream] }
            }
            #expect(sizes.contains { $0 > 32 } && sizes.count > 5, "sizes \(sizes)")
            for (stream, text) in texts.enumerated() {
                var alone = Text()
                for element in try generator(model, stream, isExact: isExact).prefix(lengths[stream]) {
                    alone.add(element)
                }
                #expect(text.ids == alone.ids && text.logProbabilities == alone.logProbabilities, "text \(stream)")
            }
        }
    }

    @Test("A text goes on alone where it was left, and reads more between two symbols")
    func alternating() throws {
        let model = try LanguageModel(contentsOf: fixture("v1-gru.safetensors"))
        let batch = TextBatch(model, threads: 2)
        func run(_ isAlone: (Int) -> Bool) throws -> [Int] {
            let text = try generator(model, 1)
            let others = try (2..<9).map { try generator(model, $0) }
            return try (0..<40).map { step in
                if step == 20 { try text.read(Array("again ".utf8)) }
                return try #require(isAlone(step) ? text.next() : batch.next([text] + others)[0]).id
            }
        }
        let alone = try run { _ in true }
        #expect(try run { $0 % 3 == 0 } == alone)
        #expect(try run { _ in false } == alone)
    }

    @Test("No texts are no work")
    func none() throws {
        let model = try LanguageModel(contentsOf: fixture("v1-gru.safetensors"))
        #expect(TextBatch(model).next([]).isEmpty)
    }
}
