import Synchronization

/// What a server has done and is doing, in the text form of Prometheus.
///
/// Source: the exposition format of Prometheus, version 0.0.4.
public final class Metrics: Sendable {
    /// Of one model.
    struct Counts {
        var symbols = 0
        /// Passes of the batch through the network, and their rows.
        var products = 0
        var rows = 0
        var promptSymbols = 0
        var (running, waiting) = (0, 0)
    }

    /// Times, by upper bounds of their groups.
    struct Histogram {
        static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
        var counts = [Int](repeating: 0, count: bounds.count + 1)
        var sum = 0.0

        mutating func add(_ seconds: Double) {
            counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            sum += seconds
        }
    }

    private struct State {
        var models: [String: Counts] = [:]
        /// Answers by route and status.
        var answers: [String: Int] = [:]
        var (firstSymbol, request) = (Histogram(), Histogram())
    }

    private let state = Mutex(State())

    public init() {}

    func update(_ model: String, _ change: (inout Counts) -> Void) {
        state.withLock { change(&$0.models[model, default: Counts()]) }
    }

    /// Notes how long the first symbol of a request took.
    func firstSymbol(after duration: Duration) { state.withLock { $0.firstSymbol.add(duration / .seconds(1)) } }

    /// Notes an answer.
    ///
    /// - Parameter route: one of the server's own, so that requests cannot make new ones.
    public func answered(_ route: String, status: Int, after duration: Duration) {
        state.withLock {
            $0.answers["route=\"\(route)\",status=\"\(status)\"", default: 0] += 1
            $0.request.add(duration / .seconds(1))
        }
    }

    public var text: String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        func add(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: Int)]) {
            lines += ["# HELP escriba_\(name) \(help)", "# TYPE escriba_\(name) \(kind)"]
            lines += values.map { "escriba_\(name){\($0.labels)} \($0.value)" }
        }
        func ofModels(_ value: (Counts) -> Int) -> [(String, Int)] {
            state.models.sorted { $0.key < $1.key }.map { ("model=\"\(Self.escaped($0.key))\"", value($0.value)) }
        }
        add("streams", "gauge", "Texts that are being generated.", ofModels(\.running))
        add("queue", "gauge", "Texts that wait.", ofModels(\.waiting))
        add("symbols_total", "counter", "Symbols generated.", ofModels(\.symbols))
        add(
            "prompt_symbols_total", "counter", "Symbols of prompts read, without those known from before.",
            ofModels(\.promptSymbols))
        add("products_total", "counter", "Passes of the texts of a model through its network.", ofModels(\.products))
        add(
            "rows_total", "counter", "Texts in these passes; rows per product are rows_total / products_total.",
            ofModels(\.rows))
        add("answers_total", "counter", "Answers.", state.answers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        func add(_ name: String, _ help: String, _ histogram: Histogram) {
            lines += ["# HELP escriba_\(name) \(help)", "# TYPE escriba_\(name) histogram"]
            var sum = 0
            for (index, count) in histogram.counts.enumerated() {
                sum += count
                let bound = index < Histogram.bounds.count ? "\(Histogram.bounds[index])" : "+Inf"
                lines.append("escriba_\(name)_bucket{le=\"\(bound)\"} \(sum)")
            }
            lines += ["escriba_\(name)_sum \(histogram.sum)", "escriba_\(name)_count \(sum)"]
        }
        add("first_symbol_seconds", "From a request to its first symbol.", state.firstSymbol)
        add("request_seconds", "From a request to the end of its answer.", state.request)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func escaped(_ label: String) -> String {
        label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
