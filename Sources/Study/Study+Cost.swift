import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Training

extension Study {
    /// Speeds are measured in turn, some times, and the best counts: other work on the machine only makes them slower.
    private static let rounds = 3

    static func costName(_ cell: CellKind) -> String { "cost \(cell.rawValue)" }

    /// What is the same of the cells whose cost is compared.
    enum Alike: String, CaseIterable {
        case units, parameters
    }

    /// Parameters and memory of each cell with equally many units; those with equally many parameters are known from the
    /// comparison. Then the speeds of both.
    func measureCost() throws {
        let data = try data()
        for cell in StudyPlan.cells {
            _ = try page(Self.costName(cell)) {
                try plan.cost(cell).run(on: data, in: folder, threads: threads).page
            }
        }
        _ = try page("speeds") { try speeds(on: data) }
    }

    static func speedName(_ what: String, _ cell: CellKind, _ alike: Alike) -> String {
        "\(what), \(cell.rawValue), equal \(alike.rawValue)"
    }

    private func speeds(on data: TrainingData) throws -> Notebook.Page {
        let like = try reference(data)
        var speeds: Notebook.Page = [:]
        func note(_ name: String, _ speed: Double) { speeds[name] = [max(speeds[name]?[0] ?? 0, speed)] }
        for _ in 0..<Self.rounds {
            for alike in Alike.allCases {
                for cell in StudyPlan.cells {
                    let study = plan.speed(cell, units: alike == .units ? plan.units : units(of: cell, like: like))
                    let outcome = try study.run(on: data, in: folder, threads: threads)
                    note(Self.speedName("training", cell, alike), outcome.speed)
                    guard let model = outcome.model else { continue }
                    note(Self.speedName("sampling", cell, alike), try samplingSpeed(model))
                }
            }
        }
        return speeds
    }

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
