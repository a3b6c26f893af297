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
        let unseen = task.unseen(seed)
        guard let model = outcome.model else { return ["accuracy": [0], "units": [outcome.units], "diverged": [1]] }
        return [
            "accuracy": [try model.accuracy(of: task, on: unseen, threads: threads)], "steps": [outcome.steps],
            "units": [outcome.units], "parameters": [outcome.parameters],
            "gradient left": [try model.gradientLeft(at: task, in: unseen, threads: threads)],
        ]
    }
}

extension GradientFlow {
    /// The norm by lag of the gradient with respect to all states of the first layer: an LSTM remembers in `c`.
    private var norms: [Double] {
        var squares = [Double](repeating: 0, count: longestLag + 1)
        for point in points where point.layer == 0 { squares[point.lag] += point.norm.mean * point.norm.mean }
        return squares.map { $0.squareRoot() }
    }

    /// What of the gradient's norm is left at the longest lag.
    fileprivate var left: Double { norms[longestLag] / norms[0] }

    fileprivate var page: Notebook.Page { ["lags": (0...longestLag).map(Double.init), "norms": norms] }
}

extension LanguageModel {
    /// What is left of the gradient of recalled symbols at the symbols that they repeat.
    fileprivate func gradientLeft(at task: RecallTask, in text: [UInt8], threads: Int) throws -> Double {
        let places = text.indices.filter { task.isRecall($0) }.prefix(20)
        return try gradientFlow(
            over: corpus(reading: [.bytes(text, name: "recall")]), at: Array(places), lag: task.lag, threads: threads
        ).left
    }
}
