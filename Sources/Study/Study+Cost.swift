import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Training

extension Study {
    /// Parameters, memory and speed of each cell with equally many units; those with equally many parameters are known from the
    /// comparison. Then the speed of sampling.
    func measureCost() throws {
        let data = try data()
        for cell in StudyPlan.cells {
            _ = try page("cost \(cell.rawValue), \(plan.units) units") {
                var page = try plan.cost(cell).run(on: data, in: folder, threads: threads).page
                page["sampling speed"] = [try samplingSpeed("\(folder)/cost.safetensors")]
                return page
            }
            _ = try page("sampling \(cell.rawValue), equal parameters") {
                guard try model(cell) != nil else { return [:] }
                let path = "\(folder)/\(cell.rawValue)-1-\(plan.seeds[0]).safetensors"
                return ["sampling speed": [try samplingSpeed(path)]]
            }
        }
    }

    /// Symbols per second of one text.
    private func samplingSpeed(_ path: String) throws -> Double {
        let generator = try LanguageModel(contentsOf: path).generator(
            strategy: .sampled(Temperature(1), keeping: .everything), seed: 1)
        let (began, limit) = (ContinuousClock.now, Duration.seconds(plan.seconds.field / 6))
        var count = 0
        while ContinuousClock.now - began < limit {
            for _ in 0..<100 where generator.next() != nil { count += 1 }
        }
        let time = (ContinuousClock.now - began).components
        return Double(count) / (Double(time.seconds) + Double(time.attoseconds) / 1e18)
    }

    /// A small text without and with regularization.
    func overfit() throws {
        let data = try data(dividedBy: plan.divisors[0])
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

    static func speedName(_ threads: Int, _ batch: Int) -> String { "speed \(threads) threads, \(batch) lanes" }

    /// How many threads are compared: one, two, four and so on, and all.
    var threadCounts: [Int] {
        Array(Set((0..<8).map { 1 << $0 }.filter { $0 < threads } + [threads])).sorted()
    }

    /// The speed of training by threads and lanes.
    func measureParallelism() throws {
        let data = try data()
        for count in threadCounts {
            for batch in plan.batches {
                _ = try page(Self.speedName(count, batch)) {
                    ["speed": [try plan.speed(batch: batch).run(on: data, in: folder, threads: count).speed]]
                }
            }
        }
    }
}
