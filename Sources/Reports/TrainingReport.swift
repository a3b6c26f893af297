import Glibc
import Training

/// One or more training runs as a self-contained page: their figures and curves, how one was set up, and samples of it.
public struct TrainingReport {
    public struct Run {
        public var name: String
        public var lines: [MetricsLine]

        public init(name: String, lines: [MetricsLine]) { (self.name, self.lines) = (name, lines) }
    }

    /// What is known about the first run besides its metrics.
    public struct Details {
        /// Names and values.
        public var settings: [(name: String, value: String)] = []
        /// Texts that the model wrote, and the steps they were written at.
        public var samples: [(step: Int, text: String)] = []
        /// The part of the budget that is spent, while it trains; nil at the end.
        public var progress: Double?

        public init() {}
    }

    private let title: String
    private let runs: [Run]
    private let details: Details
    private let date: String

    /// - Parameters:
    ///   - runs: the metrics of each training run.
    ///   - date: when the report is drawn, as it is shown.
    public init(title: String, _ runs: [Run], details: Details = Details(), date: String) {
        (self.title, self.runs, self.details, self.date) = (title, runs, details, date)
    }

    public func page() -> String {
        var body = "<h1>\(HTMLPage.escaped(title))</h1>\n<p class=hint>\(HTMLPage.escaped(date))\(state)</p>\n"
        body += (0..<runs.count).map(figures).joined() + curves + settings + samples
        // While it trains, the page is written again and again.
        let head = details.progress == nil ? "" : "<meta http-equiv=refresh content=20>\n"
        return HTMLPage.page(title: title, style: Self.style, head: head, body: body, script: Self.script)
    }

    private var state: String {
        details.progress.map { " · training, \(formatted($0 * 100, decimals: 0)) % of the budget spent" } ?? ""
    }

    // MARK: Figures

    private func figures(of index: Int) -> String {
        let run = runs[index]
        let validations = run.lines.compactMap(\.validation)
        // One that is followed by others belongs to an earlier end of the training.
        let exact = validations.last.flatMap { $0.isExact ? $0 : nil }
        let inLanes = validations.filter { !$0.isExact }
        var rows: [(name: String, value: String)] = []
        if let best = exact ?? inLanes.min(by: { $0.nats < $1.nats }) {
            rows.append(("best validation", "\(formatted(best.nats, decimals: 4)) nats per symbol"))
            rows.append(("that is", "\(formatted(best.bitsPerCharacter, decimals: 3)) bits per character"))
            rows.append(("at step", formatted(best.step)))
        }
        if let last = run.lines.compactMap(\.report).last {
            rows.append(("steps", formatted(run.lines.map(\.step).max() ?? last.step)))
            rows.append(("symbols read", "\(formatted(last.tokens)), \(formatted(last.epoch, decimals: 1)) passes"))
            rows.append(("time", formatted(seconds: last.seconds)))
            rows.append(("loss in training", "\(formatted(last.trainNats, decimals: 4)) nats per symbol"))
        }
        let recoveries = run.lines.count { if case .recovery = $0 { true } else { false } }
        if recoveries > 0 { rows.append(("recoveries", formatted(recoveries))) }
        let name = "<h2><span class=\"c\(index % Chart.colors)\">●</span> \(HTMLPage.escaped(run.name))</h2>\n"
        return (runs.count > 1 ? name : "") + HTMLPage.facts(rows)
    }

    // MARK: Curves

    /// What curves may run over.
    private enum Extent: String, CaseIterable {
        case step, time, symbols

        func axis(_ points: [Chart.Point], inMinutes: Bool) -> Axis {
            let title = [Extent.step: "step", .time: inMinutes ? "minutes" : "seconds", .symbols: "symbols read"][self]!
            return Axis(title, points.map(\.x), isWhole: self != .time, from: 0)
        }
    }

    private var curves: String {
        let choices = Extent.allCases.enumerated().map { index, extent in
            "<label><input type=radio name=extent value=\(extent.rawValue)\(index == 0 ? " checked" : "")> \(extent.rawValue)</label>"
        }
        var html =
            "<h2>Curves</h2>\n<p class=hint>A strong line is a running mean of the faint one.</p>\n<fieldset><legend>over</legend>\(choices.joined())</fieldset>\n<div class=plots>\n"
        html += curve("Loss", "nats per symbol", isWide: true) { $0.report?.trainNats }
        html += curve("Learning rate", "rate", isSmooth: false) { $0.report?.learningRate }
        html += curve("Norm of the gradient, before clipping", "norm, logarithmic", scale: .logarithmic) {
            $0.report?.gradientNorm
        }
        html += curve("Speed", "symbols per second", from: 0) { $0.report?.tokensPerSecond }
        return html + "</div>\n"
    }

    /// A curve over each extent; the page shows one of them.
    private func curve(
        _ title: String, _ unit: String, scale: Axis.Scale = .linear, from least: Double? = nil, isWide: Bool = false,
        isSmooth: Bool = true, _ value: (MetricsLine) -> Double?
    ) -> String {
        let seconds = runs.compactMap { $0.lines.last?.seconds }.max() ?? 0
        let charts = Extent.allCases.map { extent in
            var series: [Chart.Series] = []
            for (index, run) in runs.enumerated() {
                let places = Places(run.lines, extent, inMinutes: seconds >= 180)
                let raw = places.points(value)
                let name = runs.count > 1 ? run.name : "training"
                if isSmooth && raw.count > 50 {
                    series.append(
                        Chart.Series(name: name, points: raw.thinned(to: 500), style: .faint, color: index))
                    series.append(Chart.Series(name: name, points: raw.smoothed().thinned(to: 300), color: index))
                } else {
                    series.append(Chart.Series(name: name, points: raw.thinned(to: 300), color: index))
                }
                guard isWide else { continue }
                let validations = places.points { line in line.validation.flatMap { $0.isExact ? nil : $0.nats } }
                series.append(
                    Chart.Series(
                        name: runs.count > 1 ? "\(run.name), validation" : "validation", points: validations,
                        style: .dotted, color: runs.count > 1 ? index : 1))
            }
            let points = series.flatMap(\.points)
            let chart = Chart(
                title: title, x: extent.axis(points, inMinutes: seconds >= 180),
                y: Axis(unit, points.map(\.y), scale: scale, from: least), series: series)
            return "<div class=by-\(extent.rawValue)>\(chart.html)</div>\n"
        }
        return "<div\(isWide ? " class=wide" : "")>\n\(charts.joined())</div>\n"
    }

    /// Where the lines of a run are on an extent.
    private struct Places {
        private let lines: [(x: Double, line: MetricsLine)]

        init(_ all: [MetricsLine], _ extent: Extent, inMinutes: Bool) {
            // A validation does not say how many symbols were read; in a step it is always the same number.
            let perStep = all.compactMap(\.report).last.map { Double($0.tokens) / Double(max(1, $0.step)) } ?? 0
            lines = all.compactMap { line in
                switch extent {
                case .step: (Double(line.step), line)
                case .time: line.seconds.map { ($0 / (inMinutes ? 60 : 1), line) }
                case .symbols: (line.report.map { Double($0.tokens) } ?? Double(line.step) * perStep, line)
                }
            }
        }

        func points(_ value: (MetricsLine) -> Double?) -> [Chart.Point] {
            lines.compactMap { x, line in
                value(line).flatMap { $0.isFinite && x.isFinite ? Chart.Point(x: x, y: $0) : nil }
            }
        }
    }

    // MARK: Settings and samples

    private var settings: String {
        details.settings.isEmpty
            ? ""
            : "<details open><summary>Settings</summary>\n\(HTMLPage.facts(details.settings))</details>\n"
    }

    /// The latest first.
    private var samples: String {
        guard !details.samples.isEmpty else { return "" }
        let items = details.samples.reversed().map { step, text in
            "<h3>Step \(formatted(step))</h3>\n<pre dir=auto lang=\"\">\n\(HTMLPage.escaped(text))</pre>\n"
        }
        return "<h2>What it wrote</h2>\n" + items.joined()
    }

    /// The choice outlives the page's next version.
    private static let script = """
        try{const c=document.querySelector("[value="+(sessionStorage.extent||"step")+"]");if(c)c.checked=true;
          for(const e of document.getElementsByName("extent"))e.addEventListener("change",()=>sessionStorage.extent=e.value)}catch{}

        """

    private static let style = """
        :root:has([value=step]:checked) :is(.by-time,.by-symbols),:root:has([value=time]:checked) :is(.by-step,.by-symbols),
        :root:has([value=symbols]:checked) :is(.by-step,.by-time){display:none}

        """
}

extension MetricsLine {
    fileprivate var report: StepReport? { if case .step(let report) = self { report } else { nil } }

    fileprivate var validation: ValidationReport? { if case .validation(let report) = self { report } else { nil } }

    fileprivate var seconds: Double? {
        switch self {
        case .step(let report): report.seconds
        case .validation(let report): report.seconds
        case .recovery: nil
        }
    }
}
