import CharacterModel
import RecurrentNetwork
import Tokenization
import Training

extension Study {
    static let contexts = [0, 1, 2, 4, 8, 16, 32, 64, 128]

    /// What a model gains from what it sees before a symbol.
    func measureContext() throws {
        for cell in StudyPlan.cells {
            _ = try page("context \(cell.rawValue)") {
                guard let model = try model(cell) else { return [:] }
                let curve = try model.memory(
                    of: heldText(model), contexts: Self.contexts, positions: plan == .toy ? 50 : 1_000,
                    threads: threads)
                return [
                    "contexts": curve.points.map { $0.context.map(Double.init) ?? .infinity },
                    "nats": curve.points.map(\.nats.mean),
                    "standard errors": curve.points.map { $0.nats.standardError ?? 0 },
                ]
            }
        }
        _ = try page("context order 0") {
            guard let model = try model(.gru) else { return [:] }
            return ["nats": [try orderZero(model)]]
        }
    }

    /// The nats per symbol of the held text under the frequencies of symbols in the training part, with one more of each.
    private func orderZero(_ model: LanguageModel) throws -> Double {
        let held = try heldText(model)
        let training = corpus.count - held.count
        var counts: [Symbol: Double] = [:]
        for place in 0..<training { counts[corpus.symbols[corpus[place]], default: 0] += 1 }
        let total = Double(training) + Double(corpus.symbols.count)
        let nats = (0..<held.count).reduce(0.0) { sum, place in
            sum - .log((counts[held.symbols[held[place]], default: 0] + 1) / total)
        }
        return nats / Double(held.count)
    }

    /// How much of a prediction's gradient reaches symbols further back, before and after training.
    func measureGradientFlow() throws {
        for cell in StudyPlan.cells {
            for isTrained in [false, true] {
                _ = try page("gradients \(cell.rawValue), \(isTrained ? "trained" : "untrained")") {
                    guard let model = try model(cell) else { return [:] }
                    let flow = try model.gradientFlow(
                        over: heldText(model), longestLag: plan == .toy ? 16 : 128, positions: plan == .toy ? 5 : 100,
                        weights: GradientFlowWeights(untrainedSeed: isTrained ? nil : plan.seeds[0]),
                        threads: threads)
                    return flow.page
                }
            }
        }
    }

    /// A plain network at a rate that is too high, with and without clipping.
    func explode() throws {
        let data = try data()
        for (name, clip) in StudyPlan.clips {
            _ = try page("explosion \(name)") {
                try plan.explosion(clip: clip).run(on: data, in: folder, threads: threads).page
            }
        }
    }

    static func recallName(_ cell: CellKind, _ lag: Int, _ seed: UInt64) -> String {
        "recall \(cell.rawValue), lag \(lag), seed \(seed)"
    }

    /// The recall task, each cell at equal parameters.
    func recall() throws {
        for lag in plan.lags {
            let task = RecallTask(lag: lag)
            let lines = RecallTask.lineCount(lag)
            for cell in StudyPlan.cells {
                for seed in plan.seeds {
                    _ = try page(Self.recallName(cell, lag, seed)) {
                        try recalled(task, cell, lines: lines, seed: seed)
                    }
                }
            }
        }
    }

    private func recalled(_ task: RecallTask, _ cell: CellKind, lines: Int, seed: UInt64) throws -> Notebook.Page {
        var study = plan.recall(cell, units: plan.units / 2, lag: task.lag, seed: seed)
        let data = try TrainingData(
            reading: [.bytes(task.lines(lines, seed: seed), name: "recall")], options: study.options)
        let like = try ModelConfiguration(
            plan.recall(.gru, units: plan.units / 2, lag: task.lag, seed: seed).options, data: data)
        study.options.hidden = units(of: cell, like: like)
        let outcome = try study.run(on: data, in: folder, threads: threads)
        let unseen = task.lines(max(20, min(400, 40_000 / (task.lag + 3))), seed: seed + 1_000)
        guard let model = outcome.model else { return ["accuracy": [0], "diverged": [1]] }
        let flow = try model.gradientFlow(
            over: model.corpus(reading: [.bytes(unseen, name: "recall")]), longestLag: task.lag + 1, positions: 40,
            threads: threads)
        let norms = flow.norms
        return [
            "accuracy": [try model.accuracy(of: task, on: unseen, threads: threads)], "steps": [outcome.steps],
            "units": [outcome.units], "parameters": [outcome.parameters],
            // What is left of the gradient at the first symbol, of what it is at the last.
            "gradient left": [norms.count > 1 ? norms[norms.count - 1] / max(norms[0], 1e-300) : 0],
        ]
    }
}

extension GradientFlow {
    /// The norms of the hidden state by lag.
    var norms: [Double] {
        points.filter { $0.layer == 0 && $0.state == "h" }.sorted { $0.lag < $1.lag }.map(\.norm.mean)
    }

    fileprivate var page: Notebook.Page {
        let states = Set(points.map(\.state)).sorted()
        var page: Notebook.Page = ["lags": (0...longestLag).map(Double.init)]
        for state in states {
            page[state] = points.filter { $0.layer == 0 && $0.state == state }.sorted { $0.lag < $1.lag }
                .map(\.norm.mean)
        }
        return page
    }
}
