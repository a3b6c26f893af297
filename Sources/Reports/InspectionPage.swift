import CharacterModel
import Glibc
import RecurrentNetwork
import Tokenization

/// What is inside a network, as a self-contained page: its memory, its gradient flow, its gates, and the text coloured by what its
/// units do.
public struct InspectionPage {
    private let model: LanguageModel
    private let title: String
    private let report: InspectionReport
    private let text: UnitText?

    /// - Parameters:
    ///   - title: the model's name.
    ///   - text: nil where only the gradient flow was measured.
    public init(_ model: LanguageModel, title: String, report: InspectionReport, text: UnitText?) {
        (self.model, self.title, self.report, self.text) = (model, title, report, text)
    }

    public func page() -> String {
        HTMLPage.page(
            title: "Inside \(title)", style: TextPane.style + UnitText.style, body: body,
            script: text.map { TextPane.script + $0.script } ?? "")
    }

    private var body: String {
        let shape = model.configuration
        let note = report.isTrainingText ? [("note", "the model was trained on this text")] : []
        return """
            <h1>Inside \(HTMLPage.escaped(title))</h1>
            <p class=lead>\(HTMLPage.escaped(sentence))</p>
            \(HTMLPage.facts([
                ("network", "\(shape.layers) × \(formatted(shape.hidden)) \(shape.cell.rawValue)"),
                ("parameters", formatted(shape.parameterCount)),
                ("text", fileName(report.text)),
            ] + note))<div class=plots>
            \(memory)\(flow)</div>
            \(gates)\(text?.html(units: report.units ?? []) ?? "")
            """
    }

    /// How far back it looks, in words.
    private var sentence: String {
        guard let memory = report.memory else {
            return "Only the gradient flow was measured, since these are not the trained weights."
        }
        guard let last = memory.last?.nats.value else { return "Its loss on this text is not finite." }
        let enough = memory.first { $0.nats.value.map { $0 <= last + 0.01 } ?? false }?.context.value ?? nil
        let looks =
            switch enough {
            case nil: "It looks back further than can be measured here."
            case 0: "For its predictions it needs no symbol before."
            case 1:
                "For its predictions it needs the last symbol: seeing more makes its loss smaller by less than 0.01 nats."
            case let count?:
                "For its predictions it needs the last \(formatted(count)) symbols: seeing more makes its loss smaller by less than 0.01 nats."
            }
        return looks + " Its loss on this text is \(formatted(last, decimals: 4)) nats per symbol."
    }

    // MARK: Curves

    private var memory: String {
        func points(_ memory: [InspectionReport.Memory]) -> [Chart.Point] {
            memory.compactMap { point in
                point.context.value.map { Chart.Point(x: Double($0), y: point.nats.value ?? .nan) }
            }
        }
        guard let memory = report.memory else { return "" }
        let network = points(memory)
        let counted = points(report.memoryBaseline ?? [])
        let all = memory.last?.nats.value.map { last in network.map { Chart.Point(x: $0.x, y: last) } } ?? []
        let chart = Chart(
            title: "Memory: what seeing more symbols gains",
            x: Axis("symbols it may see", network.map(\.x), scale: .doubling, from: 0),
            y: Axis("nats per symbol", (network + counted + all).map(\.y)),
            series: [
                Chart.Series(name: "network", points: network, style: .dotted, color: 0),
                Chart.Series(name: "n-grams", points: counted, style: .dotted, color: 1),
                Chart.Series(name: "network, all symbols", points: all, color: 2),
            ].filter { !$0.points.isEmpty })
        return """
            <div>\(chart.html)<p class=hint>The state is zero, then the last symbols are read: where the curve is flat, nothing further back helps. \
            The left end is too high, since the network takes it for the beginning of a text, which it was not trained to meet in the middle of one. \
            A mean over \(formatted(report.memoryPositions ?? 0)) places.</p></div>

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
            y: Axis("norm of the gradient, logarithmic", points.map(\.y), scale: .logarithmic), series: series)
        chart.rows = 40
        let window = report.untrainedSeed == nil ? model.training?.options.window : nil
        chart.mark = window.map { (Double($0), "the window it was trained with") }
        let kind = report.untrainedSeed.map { "an untrained network, seed \($0)" } ?? "the trained network"
        let scale = report.recurrentScale == 1 ? "" : ", its recurrent weights multiplied by \(report.recurrentScale)"
        let cut = window == nil ? "" : " While it was trained, gradients were cut at its window."
        return """
            <div>\(chart.html)<p class=hint>The norm of the gradient of a prediction's loss by the state so many symbols before, a mean over \
            \(formatted(report.positions.count)) places: of \(kind)\(scale). Where it is tiny, it teaches little.\(cut)</p></div>

            """
    }

    // MARK: Gates

    private var gates: String {
        guard let all = report.gates, !all.isEmpty else { return "" }
        let names = all.filter { $0.unit == 0 && $0.layer == 0 }.map(\.gate)
        let layers = 0..<model.configuration.layers
        var html = """
            <h2>Gates</h2>
            <p class=hint>Each dot is a unit: how often its gate is nearly shut (below 0.1) and nearly open (above 0.9). In the corners a gate \
            works like a switch; near the origin it blends (Karpathy, Johnson &amp; Fei-Fei 2015). \(keeping)</p>
            <div class=plots>

            """
        for gate in names {
            let series = layers.map { layer in
                let units = all.filter { $0.layer == layer && $0.gate == gate }
                return Chart.Series(
                    name: "layer \(layer)", points: units.map { Chart.Point(x: $0.below, y: $0.above) },
                    style: .points, color: layer)
            }
            let chart = Chart(
                title: "The \(gate) gate", x: Axis("share of symbols below 0.1", [], from: -0.02, to: 1.02),
                y: Axis("share above 0.9", [], from: -0.02, to: 1.02), series: series)
            html += "<div class=cloud>\(chart.html)</div>\n"
        }
        return html + "<div class=wide>\(halfLives(all))</div>\n</div>\n"
    }

    private func halfLives(_ all: [InspectionReport.Gate]) -> String {
        let series = (0..<model.configuration.layers).map { layer in
            let lives = all.filter { $0.layer == layer }.compactMap(\.halfLife.value).filter { $0 > 0 }
                .sorted()
            return Chart.Series(
                name: "layer \(layer)", points: lives.enumerated().map { Chart.Point(x: Double($0 + 1), y: $1) },
                color: layer)
        }
        let points = series.flatMap(\.points)
        return Chart(
            title: "Half-life: after how many symbols half of a unit's state is gone",
            x: Axis("units, sorted", points.map(\.x), isWhole: true),
            y: Axis("symbols, logarithmic", points.map(\.y), scale: .logarithmic), series: series
        ).html
            + "<p class=hint>Of each unit's own state. Units hand on to each other what they know, so the network remembers for longer.</p>\n"
    }

    /// Which gate keeps the state.
    private var keeping: String {
        let cell = model.configuration.cell.cell
        return cell.keeping.map { keeping in
            "The \(cell.gates[keeping.gate]) gate keeps: \(keeping.isInverted ? "shut" : "open"), a unit's state stays what it was."
        } ?? ""
    }
}
