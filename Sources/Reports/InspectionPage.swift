import CharacterModel
import Foundation
import RecurrentNetwork
import Tokenization

/// What is inside a network, as a self-contained page: its memory, its gradient flow, its gates, and the text coloured by what its
/// units do.
public struct InspectionPage {
    private let model: LanguageModel
    private let title: String
    private let report: InspectionReport
    private let text: UnitText

    /// - Parameter title: the model's name.
    public init(_ model: LanguageModel, title: String, report: InspectionReport, text: UnitText) {
        (self.model, self.title, self.report, self.text) = (model, title, report, text)
    }

    public func page() -> String {
        HTMLPage.page(
            title: "Inside \(title)", style: TextPane.style + UnitText.style, body: body,
            script: TextPane.script + text.script)
    }

    private var body: String {
        let shape = model.configuration
        return """
            <h1>Inside \(HTMLPage.escaped(title))</h1>
            <p class=lead>\(HTMLPage.escaped(sentence))</p>
            \(HTMLPage.facts([
                ("network", "\(shape.layers) × \(formatted(shape.hidden)) \(shape.cell.rawValue)"),
                ("parameters", formatted(shape.parameterCount)),
                ("text", fileName(report.text)),
            ]))<div class=plots>
            <div>\(memory)</div>
            <div>\(flow)</div>
            </div>
            \(gates)\(text.html(units: report.units))
            """
    }

    /// How far back it looks, in words.
    private var sentence: String {
        guard let last = report.memory.last else { return "" }
        let enough = report.memory.first { $0.nats <= last.nats + 0.01 }?.context.value ?? nil
        let looks =
            enough.map {
                "It predicts this text from the last \(formatted($0)) symbols: seeing more makes its loss smaller by less than 0.01 nats."
            } ?? "It looks back further than can be measured here."
        return looks
            + " Its loss is \(formatted(last.nats, decimals: 4)) nats per symbol with all of the text before, and "
            + "\(formatted(report.memory[0].nats, decimals: 4)) with none of it."
    }

    // MARK: Curves

    private var memory: String {
        func points(_ memory: [InspectionReport.Memory]) -> [Chart.Point] {
            memory.compactMap { point in point.context.value.map { Chart.Point(x: Double($0), y: point.nats) } }
        }
        let network = points(report.memory)
        let counted = points(report.memoryBaseline ?? [])
        let all = report.memory.last.map { last in network.map { Chart.Point(x: $0.x, y: last.nats) } } ?? []
        let chart = Chart(
            title: "Memory: what seeing more symbols gains",
            x: Axis("symbols it may see", network.map(\.x), scale: .doubling, from: 0),
            y: Axis("nats per symbol", (network + counted + all).map(\.y)),
            series: [
                Chart.Series(name: "network", points: network, style: .dotted, color: 0),
                Chart.Series(name: "n-grams", points: counted, style: .dotted, color: 1),
                Chart.Series(name: "network, all symbols", points: all, color: 2),
            ].filter { !$0.points.isEmpty })
        return chart.html
            + """
            <p class=hint>The state is zero, then the last symbols are read. Where the curve is flat, the network remembers nothing \
            further back. \(formatted(report.memoryPositions)) places of the text.</p>

            """
    }

    private var flow: String {
        let columns = report.gradientFlow.filter { $0.lag == 0 }
        let series = columns.enumerated().map { index, column in
            let points = report.gradientFlow.filter { ($0.layer, $0.state) == (column.layer, column.state) }
                .compactMap { point in point.norm.value.map { Chart.Point(x: Double(point.lag), y: $0) } }
            return Chart.Series(name: "layer \(column.layer), \(column.state)", points: points, color: index)
        }
        let points = series.flatMap(\.points)
        var chart = Chart(
            title: "Gradient flow: how far back a prediction can teach",
            x: Axis("lag, symbols", points.map(\.x), scale: .doubling, from: 0),
            y: Axis("norm of the gradient", points.map(\.y), scale: .logarithmic), series: series)
        chart.rows = 40
        let kind = report.untrainedSeed.map { "Of an untrained network, seed \($0)." } ?? "Of the trained network."
        let scale =
            report.recurrentScale == 1 ? "" : " Its recurrent weights are multiplied by \(report.recurrentScale)."
        return chart.html
            + """
            <p class=hint>The norm of the gradient of a prediction's loss by the state so many symbols before, a mean over \
            \(formatted(report.positions.count)) places. What is tiny here cannot be learned from. \(kind)\(scale)</p>

            """
    }

    // MARK: Gates

    private var gates: String {
        guard !report.gates.isEmpty else { return "" }
        let names = report.gates.filter { $0.unit == 0 && $0.layer == 0 }.map(\.gate)
        let layers = 0..<model.configuration.layers
        var html = """
            <h2>Gates</h2>
            <p class=hint>Each dot is a unit: how often its gate is nearly shut (below 0.1) and nearly open (above 0.9). In the corners a gate \
            works like a switch; near the origin it blends (Karpathy, Johnson &amp; Fei-Fei 2015).</p>
            <div class=plots>

            """
        for gate in names {
            let series = layers.map { layer in
                let units = report.gates.filter { $0.layer == layer && $0.gate == gate }
                return Chart.Series(
                    name: "layer \(layer)", points: units.map { Chart.Point(x: $0.below, y: $0.above) },
                    style: .points, color: layer)
            }
            let chart = Chart(
                title: "The \(gate) gate", x: Axis("share of symbols below 0.1", [], from: -0.02, to: 1.02),
                y: Axis("share above 0.9", [], from: -0.02, to: 1.02), series: series)
            html += "<div class=cloud>\(chart.html)</div>\n"
        }
        return html + "<div class=wide>\(halfLives)</div>\n</div>\n"
    }

    private var halfLives: String {
        let series = (0..<model.configuration.layers).map { layer in
            let lives = report.gates.filter { $0.layer == layer }.compactMap(\.halfLife.value).filter { $0 > 0 }
                .sorted()
            return Chart.Series(
                name: "layer \(layer)", points: lives.enumerated().map { Chart.Point(x: Double($0 + 1), y: $1) },
                color: layer)
        }
        let points = series.flatMap(\.points)
        return Chart(
            title: "Half-life: after how many symbols half of a unit's state is gone",
            x: Axis("units, sorted", points.map(\.x), isWhole: true),
            y: Axis("symbols", points.map(\.y), scale: .logarithmic), series: series
        ).html
    }
}
