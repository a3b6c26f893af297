import RecurrentNetwork
import Testing

@testable import Study

@Suite("The page of a study")
struct StudyPageTests {
    private let subject = Study.Subject(
        name: "t.txt", characters: 9_000, symbols: 40, threads: 2, folder: "my t.models")

    private func page(_ pages: [String: Notebook.Page]) -> String {
        StudyPage(pages, plan: .toy, of: subject, in: .english).html()
    }

    private func sentence(_ key: StudyText.Key) -> String { StudyText.english.sentences[key]! }

    @Test("A page of nothing has every section too")
    func nothing() { #expect(page([:]).components(separatedBy: "<h2>").count == 11) }

    /// Nats of each cell, with little text and with all.
    private func cells(_ nats: [CellKind: (little: Double, all: Double)]) -> [String: Notebook.Page] {
        var pages: [String: Notebook.Page] = [:]
        for (cell, nats) in nats {
            pages[Study.name(cell, 4, 1)] = ["nats": [nats.little]]
            pages[Study.name(cell, 1, 1)] = ["nats": [nats.all]]
        }
        return pages
    }

    @Test("Whether the lecture's advice on data holds follows the losses")
    func data() {
        let expected = page(cells([.rnn: (3, 3), .gru: (1, 2), .lstm: (2, 1.5), .mingru: (4, 4)]))
        #expect(
            expected.contains(
                "With the least text the GRU is best (1.000 nats), then the LSTM (2.000); with all of it the LSTM (1.500), then the GRU (2.000)"
            ))
        #expect(expected.contains(sentence(.dataHolds)) && !expected.contains(sentence(.dataFails)))
        for other in [
            page(cells([.rnn: (3, 3), .gru: (2, 2), .lstm: (1, 1.5), .mingru: (4, 4)])), page([:]),
            page(cells([.rnn: (3, 3), .gru: (1, 1), .lstm: (2, 1.5), .mingru: (4, 4)])),
        ] {
            #expect(!other.contains(sentence(.dataHolds)))
        }
        let close = page(cells([.rnn: (3, 3), .gru: (1, 2), .lstm: (1.001, 1.5), .mingru: (4, 4)]))
        #expect(close.contains(sentence(.dataClose)) && !close.contains(sentence(.dataHolds)))
    }

    @Test("A lag that was not learned is told apart from one whose gradient is gone")
    func recall() {
        func recalled(_ accuracy: [Double], left: Double) -> [String: Notebook.Page] {
            var pages: [String: Notebook.Page] = [:]
            for (lag, accuracy) in zip(StudyPlan.toy.lags, accuracy) {
                pages[Study.recallName(.rnn, lag, 1)] = ["accuracy": [accuracy], "gradient left": [left]]
            }
            return pages
        }
        #expect(page(recalled([0.95, 0.3], left: 0.1)).contains("RNN: up to 2 symbols; at 8 no longer (not learned"))
        #expect(page(recalled([0.95, 0.3], left: 1e-9)).contains("at 8 no longer (the gradient is gone)"))
        #expect(page(recalled([0.2, 0.2], left: 1e-9)).contains("RNN: not even at 2 symbols (the gradient is gone)"))
        var diverged = recalled([0.95, 0], left: 0.1)
        diverged[Study.recallName(.rnn, 8, 1)]?["gradient left"] = nil
        #expect(page(diverged).contains("RNN: up to 2 symbols; at 8 no longer (the training diverged)"))
        #expect(page(recalled([1, 0.9], left: 0.1)).contains("RNN: at every lag, up to 8 symbols."))
    }

    @Test("An explosion, and its absence, are told")
    func explosion() {
        func runs(_ recoveries: Double, _ nats: Double, _ diverged: Double, clipped: Double = 0) -> String {
            page([
                "explosion clipped": ["gradient norms": [3], "recoveries": [clipped], "nats": [2], "diverged": [0]],
                "explosion not clipped": [
                    "gradient norms": [3, .infinity], "recoveries": [recoveries], "nats": [nats],
                    "diverged": [diverged],
                ],
            ])
        }
        #expect(runs(0, 2, 0).contains(sentence(.explosionFails)))
        for exploded in [runs(2, 2, 0), runs(0, 2, 1)] { #expect(exploded.contains(sentence(.explosionHolds))) }
        #expect(runs(0, 2.5, 0).contains(sentence(.explosionWorse)))
        #expect(runs(5, 2, 0, clipped: 5).contains(sentence(.explosionBoth)))
        #expect(runs(2, 2, 1).contains("Not clipped: largest norm ∞, recoveries: 2, ∞ nats."))
    }

    @Test("The mean of several seeds has its range, as text and in the picture")
    func seeds() {
        var plan = StudyPlan.toy
        plan.seeds = [1, 2, 3]
        let pages = Dictionary(
            uniqueKeysWithValues: zip(plan.seeds, [1.0, 1.5, 2.0]).map {
                (Study.name(.gru, 1, $0), ["nats": [$1]] as Notebook.Page)
            })
        let page = StudyPage(pages, plan: plan, of: subject, in: .english).html()
        #expect(page.contains("1.500 (1.000–2.000)") && page.contains("class=\"c1 bar\""))
        #expect(!self.page(pages).contains("bar\""))
    }

    @Test("A rate that diverges, and one that is best for every width, are told")
    func rates() {
        let plan = StudyPlan.toy
        func field(_ nats: (_ width: Int, _ rate: Double) -> Double) -> String {
            var pages: [String: Notebook.Page] = [:]
            for width in plan.widths {
                for rate in plan.rates {
                    let found = nats(width, rate)
                    pages[Study.rateName(width, rate)] = ["nats": [found], "diverged": [found.isFinite ? 0 : 1]]
                }
            }
            return page(pages)
        }
        let (slow, fast) = (plan.rates[0], plan.rates[1])
        #expect(field { $1 == slow ? 2 : .infinity }.contains(sentence(.rateInfinite)))
        #expect(field { $1 == slow ? 2 : 3 }.contains("0.003, 0.003. A wrong rate costs up to 1.000 nats"))
        #expect(field { $1 == slow ? 2 : 3 }.contains(sentence(.rateSame)))
        #expect(field { ($0 == 8) == ($1 == fast) ? 2 : 3 }.contains("0.03, 0.003."))
        #expect(field { _, _ in 2 }.contains(sentence(.rateFails)))
    }

    @Test("Whether threads help as much with few lanes follows the speeds")
    func speed() {
        func speeds(few: Double, many: Double, threads: [Double] = [1, 2]) -> String {
            page([
                "parallelism": [
                    "threads": threads, Study.speedName(1, 8): [100], Study.speedName(2, 8): [few],
                    Study.speedName(1, 16): [100], Study.speedName(2, 16): [many],
                ]
            ])
        }
        #expect(speeds(few: 120, many: 190).contains("grows 1.20 times with 8 lanes, and 1.90 times with 16. It holds"))
        #expect(speeds(few: 190, many: 190).contains(sentence(.speedFails)))
        #expect(speeds(few: 190, many: 190, threads: [1]).contains(sentence(.speedAlone)))
    }

    @Test("A folder with a space is quoted in commands")
    func folder() { #expect(page([:]).contains("train &#39;my t.models/train-1.txt&#39; --validation")) }

    @Test(
        "Every language has every sentence, with the same values in it", arguments: StudyText.languages.map(\.language))
    func sentences(language: String) throws {
        let text = try #require(StudyText.languages.first { $0.language == language })
        for key in StudyText.Key.allCases {
            let sentence = try #require(text.sentences[key], "\(key)")
            for value in 0..<8 {
                let part = "{\(value)}"
                #expect(sentence.contains(part) == self.sentence(key).contains(part), "\(key) and \(part)")
            }
        }
    }
}
