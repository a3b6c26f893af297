import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Training

extension Study {
    /// Short speeds are measured in turn, some times, and the best counts: other work on the machine only makes them slower.
    private static let rounds = 3

    static func costName(_ cell: CellKind) -> String { "cost \(cell.rawValue)" }

    /// Parameters, memory and speed of each cell with equally many units; those with equally many parameters are known from the
    /// comparison. Then the speed of sampling of both.
    func measureCost() throws {
        let data = try data()
        for cell in StudyPlan.cells {
            _ = try page(Self.costName(cell)) {
                try plan.cost(cell).run(on: data, in: folder, threads: threads).page
            }
        }
        _ = try page("sampling") {
            var speeds: Notebook.Page = [:]
            // Files that are gone are made again.
            for cell in StudyPlan.cells {
                _ = try model(cell)
                if (try? LanguageModel(contentsOf: costPath(of: cell))) == nil {
                    _ = try plan.cost(cell).run(on: data, in: folder, threads: threads)
                }
            }
            for _ in 0..<Self.rounds {
                for cell in StudyPlan.cells {
                    let models = [("units", costPath(of: cell)), ("parameters", path(of: cell))]
                    for (alike, path) in models {
                        guard let model = try? LanguageModel(contentsOf: path) else { continue }
                        let name = "\(cell.rawValue), equal \(alike)"
                        speeds[name] = [max(speeds[name]?[0] ?? 0, try samplingSpeed(model))]
                    }
                }
            }
            return speeds
        }
    }

    private func costPath(of cell: CellKind) -> String { "\(folder)/\(plan.cost(cell).name).safetensors" }

    /// Symbols per second of one text.
    private func samplingSpeed(_ model: LanguageModel) throws -> Double {
        let generator = try model.generator(strategy: .sampled(Temperature(1), keeping: .everything), seed: 1)
        let (began, limit) = (ContinuousClock.now, Duration.seconds(plan.seconds.field / 12))
        var count = 0
        while ContinuousClock.now - began < limit {
            for _ in 0..<100 where generator.next() != nil { count += 1 }
        }
        let time = (ContinuousClock.now - began).components
        return Double(count) / (Double(time.seconds) + Double(time.attoseconds) / 1e18)
    }

    /// A small text without and with regularization.
    func overfit() throws {
        let data = try fewData()
        for (name, dropout, weightDropout) in StudyPlan.dropouts {
            _ = try page("overfitting \(name)") {
                try plan.overfitting(dropout: dropout, weightDropout: weightDropout)
                    .run(on: data, in: folder, threads: threads).page
            }
        }
    }

    static func rateName(_ width: Int, _ rate: Double) -> String { "rate \(rate), \(width) units" }

    /// The nats at each rate and width.
    func varyRates() throws {
        let data = try data()
        for width in plan.widths {
            for rate in plan.rates {
                _ = try page(Self.rateName(width, rate)) {
                    try plan.variation(width: width, rate: rate).run(on: data, in: folder, threads: threads).page
                }
            }
        }
    }

    static func speedName(_ threads: Int, _ batch: Int) -> String { "\(threads) threads, \(batch) lanes" }

    /// How many threads are compared: one, two, four and so on, and all.
    var threadCounts: [Int] {
        Array(Set((0..<8).map { 1 << $0 }.filter { $0 < threads } + [threads])).sorted()
    }

    /// The speed of training by threads and lanes.
    func measureParallelism() throws {
        let data = try data()
        _ = try page("parallelism") {
            var speeds: Notebook.Page = ["threads": threadCounts.map(Double.init)]
            // A short text has no room for many lanes of a window each.
            let batches = plan.batches.filter { $0 * plan.speed(batch: $0).options.window <= held.lowerBound }
            for _ in 0..<Self.rounds {
                for batch in batches {
                    for count in threadCounts {
                        let speed = try plan.speed(batch: batch).run(on: data, in: folder, threads: count).speed
                        let name = Self.speedName(count, batch)
                        speeds[name] = [max(speeds[name]?[0] ?? 0, speed)]
                    }
                }
            }
            return speeds
        }
    }
}
