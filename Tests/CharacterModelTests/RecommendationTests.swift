import Testing

@testable import CharacterModel

@Suite("Recommended shapes")
struct RecommendationTests {
    private func recommendation(_ symbols: Int, _ budget: TrainingBudget, cell: CellKind = .gru) -> Recommendation {
        var options = TrainingOptions()
        options.budget = budget
        return Recommendation(cell: cell, symbols: symbols, vocabularySize: 67, options: options)
    }

    @Test("Equal texts and budgets, however they are told, get equal shapes")
    func budgets() {
        let epochs = recommendation(1_024_000, .epochs(4))
        #expect(epochs == recommendation(1_024_000, .steps(4_000)))
        #expect(epochs.hidden == 384 && epochs.layers == 1 && epochs.embedding == 32)
    }

    @Test("Dropout grows with the passes over a text, and has bounds")
    func dropout() {
        let passes = [1, 4, 16, 64, 100_000].map { recommendation(50_000, .epochs($0)).dropout }
        #expect(passes == [0, 0.1, 0.3, 0.5, 0.6])
        for seconds in [0.1, 60, 600, 86_400] {
            for symbols in [100, 10_000, 1_000_000, 1_000_000_000] {
                let shape = recommendation(symbols, .seconds(seconds))
                #expect((0...0.6).contains(shape.dropout) && [384, 512].contains(shape.hidden))
                #expect((shape.layers == 2) == (symbols >= 300_000 && seconds >= 30_000_000 / 45_000))
            }
        }
    }
}
