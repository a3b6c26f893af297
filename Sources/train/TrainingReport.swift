import CommandSupport
import Foundation

/// The curves of one or more trainings as one page that needs nothing else.
struct TrainingReport {
    /// What a metrics file says.
    private struct Run {
        let name: String
        let lines: [Line]
    }

    private struct Line: Decodable {
        let step: Int
        let trainNats: Double?
        let validationNats: Double?
        let exact: Bool?
        let learningRate: Double?
        let gradientNorm: Double?
        let tokensPerSecond: Double?
        let recovery: Int?
    }

    private let runs: [Run]

    /// - Throws: `UsageError` for a file that cannot be read or is not one of metrics.
    init(reading paths: [String]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        runs = try paths.map { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw UsageError("\(path) cannot be read; give a file that --metrics wrote")
            }
            let lines = try data.split(separator: UInt8(ascii: "\n")).enumerated().map { number, line in
                if let line = try? decoder.decode(Line.self, from: Data(line)), (0...1 << 53).contains(line.step) {
                    return line
                } else {
                    throw UsageError(
                        "\(path), line \(number + 1), is not a line of metrics; give a file that --metrics wrote")
                }
            }
            guard !lines.isEmpty else { throw UsageError("\(path) is empty; give a file that --metrics wrote") }
            return Run(name: path, lines: lines)
        }
    }

    func page() -> String {
        let escaped = HTMLPage.escaped
        var body = "<h1>Training</h1>\n<ul id=runs>"
        for (index, run) in runs.enumerated() {
            let exact = run.lines.last { $0.exact == true }?.validationNats
            let best = exact ?? run.lines.compactMap(\.validationNats).min()
            let figure = best.map { ": \(formatted($0, decimals: 4)) nats\(exact == nil ? "" : " (exact)")" } ?? ""
            body += "<li><span class=\"key c\(index % 6)\"></span>\(escaped(run.name))\(figure)"
        }
        body += "</ul>\n"
        body += plot("Loss, nats per symbol", "training as a line, validation as dots") { line in
            line.trainNats
        } dots: { line in
            line.exact == true ? nil : line.validationNats
        }
        body += plot("Learning rate") { $0.recovery == nil ? $0.learningRate : nil }
        body += plot("Norm of the gradient", "before clipping; logarithmic", isLogarithmic: true) { $0.gradientNorm }
        body += plot("Symbols per second") { $0.tokensPerSecond }
        return HTMLPage.page(title: "Training", style: Self.style, body: body)
    }

    private func plot(
        _ title: String, _ note: String = "", isLogarithmic: Bool = false, line: (Line) -> Double?,
        dots: (Line) -> Double? = { _ in nil }
    ) -> String {
        func points(_ run: Run, _ value: (Line) -> Double?) -> [Plot.Point] {
            run.lines.compactMap { line in
                guard let value = value(line), value.isFinite, !isLogarithmic || value > 0 else { return nil }
                return Plot.Point(x: Double(line.step), y: isLogarithmic ? log10(value) : value)
            }
        }
        let plot = Plot(
            lines: runs.map { points($0, line) }, dots: runs.map { points($0, dots) }, isLogarithmic: isLogarithmic)
        return "<h2>\(title)</h2>\n" + (note.isEmpty ? "" : "<p class=hint>\(note)</p>\n") + plot.svg(title: title)
    }

    private static let style = """
        svg{width:100%;height:auto;overflow:visible}svg text{font:12px system-ui,sans-serif;fill:CanvasText}
        .grid{stroke:CanvasText;opacity:.15}polyline{fill:none;stroke-width:1.5}\
        polyline.c1{stroke-dasharray:7 3}polyline.c2{stroke-dasharray:2 2}polyline.c3{stroke-dasharray:9 3 2 3}\
        polyline.c4{stroke-dasharray:12 5}polyline.c5{stroke-dasharray:1 4}
        .c0{stroke:#0072b2;fill:#0072b2}.c1{stroke:#d55e00;fill:#d55e00}.c2{stroke:#009e73;fill:#009e73}
        .c3{stroke:#cc79a7;fill:#cc79a7}.c4{stroke:#b8860b;fill:#b8860b}.c5{stroke:#5b5bd6;fill:#5b5bd6}
        .c0.key{background:#0072b2}.c1.key{background:#d55e00}.c2.key{background:#009e73}.c3.key{background:#cc79a7}
        .c4.key{background:#b8860b}.c5.key{background:#5b5bd6}
        .key{display:inline-block;width:1.2em;height:.7em;margin-right:.5em}#runs{list-style:none;padding:0}
        """
}
