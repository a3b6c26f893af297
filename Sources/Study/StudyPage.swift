import RealModule
import RecurrentNetwork
import Reports

/// A study as a self-contained page: for each claim what was done, its picture, and what came out.
public struct StudyPage {
    let pages: [String: Notebook.Page]
    let plan: StudyPlan
    let subject: Study.Subject
    let say: StudyText

    public init(_ pages: [String: Notebook.Page], plan: StudyPlan, of subject: Study.Subject, in language: StudyText) {
        (self.pages, self.plan, self.subject, say) = (pages, plan, subject, language)
    }

    /// The page as HTML.
    public func html() -> String {
        let guessing = Double.log(Double(subject.symbols))
        var body = "<h1>\(HTMLPage.escaped(say(.title)))</h1>\n"
        body += paragraph(
            say(.lead, subject.name, whole(subject.characters), whole(subject.symbols)), "lead")
        body += paragraph(say(.about, formatted(subject.threads), plan.name, formatted(guessing, decimals: 2)), "hint")
        body += context + flow + explosion + recall + cost + data + overfitting + rates + speed + which
        return HTMLPage.page(title: say(.title), language: say.language, style: Self.style, body: body)
    }

    private static let style = """
        .heat td{text-align:end;padding:.4em .8em;border:2px solid var(--paper)}
        .verdict{border-inline-start:4px solid var(--c0);padding-inline-start:1em}
        dt.part{font-weight:600;font-size:1rem;margin-top:.6em}

        """

    // MARK: What sections are made of

    private func paragraph(_ text: String, _ name: String = "") -> String {
        "<p\(name.isEmpty ? "" : " class=\"\(name)\"")>\(HTMLPage.escaped(text))</p>\n"
    }

    /// A section: claim, experiment, how to repeat it, picture, verdict.
    func section(
        _ title: StudyText.Key, _ claim: StudyText.Key, _ experiment: StudyText.Key, byHand commands: [String],
        picture: String, verdict: [String]
    ) -> String {
        """
        <section>
        <h2>\(HTMLPage.escaped(say(title)))</h2>
        <p><b>\(HTMLPage.escaped(say(.claim))).</b> \(HTMLPage.escaped(say(claim)))</p>
        <p><b>\(HTMLPage.escaped(say(.experiment))).</b> \(HTMLPage.escaped(say(experiment)))</p>
        <details><summary>\(HTMLPage.escaped(say(.byHand)))</summary><pre>\(HTMLPage.escaped(commands.joined(separator: "\n")))</pre></details>
        \(picture)<p class=verdict><b>\(HTMLPage.escaped(say(.verdict))).</b> \(HTMLPage.escaped(verdict.joined(separator: " ")))</p>
        </section>

        """
    }

    func chart(
        _ title: String, x: (name: String, scale: Axis.Scale), y: (name: String, scale: Axis.Scale),
        _ series: [Chart.Series]
    ) -> String {
        let series = series.map { one in
            var one = one
            one.points = one.points.filter { $0.x.isFinite && $0.y.isFinite }
            return one
        }
        let points = series.flatMap(\.points)
        let ys = points.flatMap { [$0.y, $0.range?.lowerBound ?? $0.y, $0.range?.upperBound ?? $0.y] }
        return Chart(
            title: title, x: Axis(x.name, points.map(\.x), scale: x.scale),
            y: Axis(y.name, ys, scale: y.scale), series: series, words: say.chartWords
        ).html
    }

    func series(_ name: String, _ xs: [Double]?, _ ys: [Double]?, _ color: Int, _ style: Chart.Series.Style = .line)
        -> Chart.Series
    {
        let points = zip(xs ?? [], ys ?? []).map { Chart.Point(x: $0, y: $1) }
        return Chart.Series(name: name, points: points, style: style, color: color)
    }

    /// Joined points, each the mean of some values, with the range of those.
    func means(_ name: String, _ xs: [Double], _ values: [[Double]], _ color: Int) -> Chart.Series {
        let points = zip(xs, values).filter { !$1.isEmpty }.map { x, values in
            Chart.Point(
                x: x, y: values.mean, range: values.count > 1 ? values.min()!...values.max()! : nil)
        }
        return Chart.Series(name: name, points: points, style: .dotted, color: color)
    }

    /// A table with a row of heads, and a head in each row.
    func table(_ heads: [String], _ rows: [[String]]) -> String {
        let head = heads.map { "<th scope=col>\(HTMLPage.escaped($0))" }.joined()
        let body = rows.map { row in
            "\n<tr><th scope=row>\(HTMLPage.escaped(row[0]))"
                + row.dropFirst().map { "<td>\(HTMLPage.escaped($0))" }.joined()
        }
        return "<div class=scroll><table><tr>\(head)\(body.joined())\n</table></div>\n"
    }

    // MARK: Commands

    var validation: String { quoted("\(subject.folder)/validation.txt") }

    /// A path as a shell reads it.
    private func quoted(_ path: String) -> String {
        path.contains { " '\"$`\\&;()*?<>|".contains($0) } ? "'\(path.replacing("'", with: "'\\''"))'" : path
    }

    /// The part of the text a training reads and the part it is validated on, for a command.
    func files(_ part: String = "1") -> String {
        "\(quoted("\(subject.folder)/train-\(part).txt")) --validation \(validation) --threads \(subject.threads)"
    }

    /// The command of a training in the comparison of cells.
    func compared(_ cell: CellKind, _ divisor: Int = 1) -> String {
        let seed = plan.seeds[0]
        let units = Int(value(Study.name(cell, divisor, seed), "units") ?? 1)
        return plan.comparison(cell, units: units, divisor: divisor, seed: seed).command(on: files("\(divisor)"))
    }

    // MARK: What was measured

    func values(_ page: String, _ name: String) -> [Double]? { pages[page]?[name] }

    func value(_ page: String, _ name: String) -> Double? { pages[page]?[name]?.first }

    /// The values of all seeds of a measurement.
    func values(_ name: String, _ page: (UInt64) -> String) -> [Double] {
        plan.seeds.compactMap { value(page($0), name) }
    }

    func nats(_ value: Double?) -> String { value.map { $0.isFinite ? formatted($0, decimals: 3) : "∞" } ?? "-" }

    func nats(_ values: [Double]) -> String { nats(values.isEmpty ? nil : values.mean) }

    func whole(_ value: Double?) -> String {
        value.map { $0.isFinite && abs($0) < 1e15 ? whole(Int($0.rounded())) : "∞" } ?? "-"
    }

    func whole(_ value: Int) -> String { formatted(value).replacing(",", with: say(.grouping)) }

    /// A mean, and between which values those of the seeds lie.
    func spread(_ values: [Double]) -> String {
        guard let low = values.min(), let high = values.max() else { return "-" }
        return values.count == 1 ? nats(low) : "\(nats(values)) (\(nats(low))–\(nats(high)))"
    }

    /// Whether a claim holds; nil if it was not measured.
    func judged(_ holds: Bool?, _ yes: StudyText.Key, _ no: StudyText.Key, _ values: String...) -> String {
        guard let holds else { return say(.notMeasured) }
        return say(holds ? yes : no, values)
    }

    static func title(_ cell: CellKind) -> String {
        [.rnn: "RNN", .gru: "GRU", .lstm: "LSTM", .mingru: "minGRU"][cell] ?? cell.rawValue
    }
}

extension [Double] {
    var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }
}
