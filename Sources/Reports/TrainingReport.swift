import Foundation
import Training

/// The curves of one or more training runs as a self-contained page.
public struct TrainingReport {
    private let runs: [(name: String, lines: [MetricsLine])]

    /// - Parameter runs: the metrics of each training run, and its name.
    public init(_ runs: [(name: String, lines: [MetricsLine])]) { self.runs = runs }

    public func page() -> String {
        let escaped = HTMLPage.escaped
        var body = "<h1>Training</h1>\n<ul id=runs>"
        for (index, run) in runs.enumerated() {
            let validations = run.lines.compactMap(\.validation)
            let exact = validations.last { $0.isExact }?.nats
            let best = exact ?? validations.map(\.nats).min()
            let figure = best.map { ": \(formatted($0, decimals: 4)) nats\(exact == nil ? "" : " (exact)")" } ?? ""
            body += "<li><span class=\"key c\(index % 6)\"></span>\(escaped(run.name))\(figure)"
        }
        body += "</ul>\n"
        body += plot("Loss, nats per symbol", "training as a line, validation as dots") {
            $0.report?.trainNats
        } dots: {
            $0.validation.flatMap { $0.isExact ? nil : $0.nats }
        }
        body += plot("Learning rate") { $0.report?.learningRate }
        body += plot("Norm of the gradient", "before clipping; logarithmic", isLogarithmic: true) {
            $0.report?.gradientNorm
        }
        body += plot("Symbols per second") { $0.report?.tokensPerSecond }
        return HTMLPage.page(title: "Training", style: Self.style, body: body)
    }

    private func plot(
        _ title: String, _ note: String = "", isLogarithmic: Bool = false, line: (MetricsLine) -> Double?,
        dots: (MetricsLine) -> Double? = { _ in nil }
    ) -> String {
        func points(_ lines: [MetricsLine], _ value: (MetricsLine) -> Double?) -> [Plot.Point] {
            lines.compactMap { line in
                guard let value = value(line), value.isFinite, !isLogarithmic || value > 0 else { return nil }
                return Plot.Point(x: Double(line.step), y: isLogarithmic ? log10(value) : value)
            }
        }
        let plot = Plot(
            lines: runs.map { points($0.lines, line) }, dots: runs.map { points($0.lines, dots) },
            isLogarithmic: isLogarithmic)
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

extension MetricsLine {
    fileprivate var report: StepReport? { if case .step(let report) = self { report } else { nil } }

    fileprivate var validation: ValidationReport? { if case .validation(let report) = self { report } else { nil } }
}
