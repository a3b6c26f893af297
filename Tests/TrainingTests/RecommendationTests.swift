import Concurrency
import Randomness
import RecurrentNetwork
import Testing

@testable import CharacterModel
@testable import Training

@Suite("Recommended shapes")
struct RecommendationTests {
    private func recommendation(
        _ symbols: Int, _ budget: TrainingBudget, _ precision: Precision = .float32
    ) -> Recommendation {
        var options = TrainingOptions()
        (options.budget, options.precision) = (budget, precision)
        return Recommendation(cell: .gru, symbols: symbols, vocabularySize: 67, options: options)
    }

    @Test("Equal texts and budgets get equal shapes, however the budget is given")
    func budgets() {
        let epochs = recommendation(1_024_000, .epochs(4))
        #expect(epochs == recommendation(1_024_000, .steps(4_000)))
        #expect(epochs == recommendation(1_024_000, .epochs(4), .bfloat16))
        #expect(epochs.hidden == 384 && epochs.layers == 1 && epochs.plainEmbedding == 32)
        #expect(!epochs.isTied && epochs.weightDropout == 0)
    }

    @Test("Dropout grows with the passes over a text, and has bounds")
    func dropout() {
        let often = [1, 4, 16, 64, 100_000].map { recommendation(200_000, .epochs($0)) }
        #expect(often.map(\.dropout) == [0, 0, 0.3, 0.4, 0.4])
        #expect(often.map(\.weightDropout) == [0, 0, 0.15, 0.5, 0.5])
        #expect(often.map(\.isTied) == [false, false, true, true, true])
        // A budget of a few hundred steps is for a small network, and for no more than a tenth of them at a rising rate.
        let brief = recommendation(10_000, .steps(300))
        #expect(brief.hidden == 128 && !brief.isTied && brief.dropout == 0 && brief.warmup == 30)
        #expect(often.last?.warmup == 100 && recommendation(10_000, .steps(1)).warmup == 1)
        for seconds in [0.1, 60, 600, 86_400] {
            for symbols in [100, 10_000, 1_000_000, 1_000_000_000] {
                let shape = recommendation(symbols, .seconds(seconds))
                #expect((0...0.4).contains(shape.dropout) && [128, 384, 512].contains(shape.hidden))
                #expect((shape.layers == 2) == (symbols >= 300_000 && seconds >= 30_000_000 / 45_000))
                // In bfloat16 as much is read in less time.
                #expect(recommendation(symbols, .seconds(0.6 * seconds), .bfloat16) == shape)
            }
        }
    }
}
