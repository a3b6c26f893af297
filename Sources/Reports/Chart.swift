import FoundationEssentials
import Glibc

/// Curves, or a cloud of points, as HTML: readable at any width, in light and dark, by keyboard, and as a table.
///
/// Lines are SVG that stretches with the page; titles, ticks and keys are text around it, so they keep their size.
package struct Chart {
    package struct Point {
        package var x: Double
        package var y: Double
        /// Between which values those lie whose mean it is.
        package var range: ClosedRange<Double>?

        package init(x: Double, y: Double, range: ClosedRange<Double>? = nil) {
            (self.x, self.y, self.range) = (x, y, range)
        }
    }

    package struct Series {
        package enum Style: String {
            case line
            /// Behind the others: what a smoothed line was made from.
            case faint
            /// Joined points.
            case dotted = "joined"
            case points
        }

        package var name: String
        package var points: [Point]
        package var style = Style.line
        /// Its colour, from 0.
        package var color: Int

        package init(name: String, points: [Point], style: Style = .line, color: Int) {
            (self.name, self.points, self.style, self.color) = (name, points, style, color)
        }
    }

    /// The words of a chart that are not its data.
    package struct Words {
        package var data = "Data"
        package var chart = "chart"
        package var nothing = "nothing to show yet"
        /// What a screen reader says of the values: `from`, the lowest, `to`, the highest, `by` what.
        package var (from, to, by) = ("from", "to", "by")
        package var table = "The table below has the values"
        package var keys = "arrow keys read them"

        package init() {}
    }

    let title: String
    let x: Axis
    let y: Axis
    let series: [Series]
    /// At most so many places of the lines are in the table of the data.
    var rows = 24
    /// A vertical mark, and what it is.
    var mark: (x: Double, name: String)?
    var words = Words()

    package init(
        title: String, x: Axis, y: Axis, series: [Series], rows: Int = 24, mark: (x: Double, name: String)? = nil,
        words: Words = Words()
    ) {
        (self.title, self.x, self.y, self.series) = (title, x, y, series)
        (self.rows, self.mark, self.words) = (rows, mark, words)
    }

    /// The sides of the coordinates in which lines are drawn.
    private static let side = 1_000.0
    static let colors = 6

    package var html: String {
        let name = HTMLPage.escaped(title)
        guard series.contains(where: { !$0.points.isEmpty }) else {
            return
                "<figure class=chart><figcaption>\(name)</figcaption><p class=hint>\(HTMLPage.escaped(words.nothing))</p></figure>\n"
        }
        return """
            <figure class=chart>
            <figcaption>\(name)</figcaption>
            \(key)<div class=frame>
            <div class=yt>\(HTMLPage.escaped(y.title))</div>
            <div class=area tabindex=0 role=application aria-roledescription="\(HTMLPage.escaped(words.chart))" aria-label="\(label)"\(places)>
            \(svg)\(ticks)</div>
            <div class=xt>\(HTMLPage.escaped(x.title))</div>
            </div>
            <p class=read aria-live=polite>&nbsp;</p>
            \(table)</figure>

            """
    }

    private var key: String {
        let named = series.filter { $0.style != .faint && !$0.name.isEmpty }
        guard named.count > 1 || mark != nil else { return "" }
        let items = named.map { one in
            "<li><i class=\"c\(one.color % Self.colors) \(one.style.rawValue)\"></i>\(HTMLPage.escaped(one.name))"
        }
        let limit = mark.map { "<li><i class=limit></i>\(HTMLPage.escaped($0.name))" } ?? ""
        return "<ul class=key>\(items.joined())\(limit)</ul>\n"
    }

    /// What a screen reader says first; the table has the rest.
    private var label: String {
        let values = series.filter { $0.style != .faint }.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
        let range = values.min().flatMap { low in
            values.max().map { "\(words.from) \(Axis.short(low)) \(words.to) \(Axis.short($0))" }
        }
        let keys = tableXs.isEmpty ? "" : "; \(words.keys)"
        return HTMLPage.escaped("\(title): \(y.title) \(range ?? "") \(words.by) \(x.title). \(words.table)\(keys).")
    }

    /// Where the table's rows are, for the script.
    private var places: String {
        let xs = tableXs.compactMap(x.place).map { Self.number($0 * Self.side) }
        return xs.isEmpty ? "" : " data-xs=\"[\(xs.joined(separator: ","))]\""
    }

    private func place(_ point: Point) -> (x: String, y: String)? {
        guard let x = x.place(point.x), let y = y.place(point.y) else { return nil }
        return (Self.number(x * Self.side), Self.number((1 - y) * Self.side))
    }

    /// The path of a point's range.
    private func bar(_ point: Point) -> String {
        guard let range = point.range, let low = place(Point(x: point.x, y: range.lowerBound)),
            let high = place(Point(x: point.x, y: range.upperBound))
        else { return "" }
        return "M\(low.x) \(low.y)V\(high.y)"
    }

    private static func number(_ value: Double) -> String {
        let text = formatted(min(1e6, max(-1e6, value)), decimals: 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private var svg: String {
        let side = Int(Self.side)
        var grid = ""
        for tick in y.ticks {
            guard let place = y.place(tick.value) else { continue }
            grid += "M0 \(Self.number((1 - place) * Self.side))H\(side)"
        }
        var svg = """
            <svg viewBox="0 0 \(side) \(side)" preserveAspectRatio=none aria-hidden=true>\
            <path class=grid d="\(grid)"/>

            """
        // Faint lines lie behind the others.
        for one in series.filter({ $0.style == .faint }) + series.filter({ $0.style != .faint }) {
            let points = one.points.compactMap(place)
            guard !points.isEmpty else { continue }
            let name = HTMLPage.escaped(one.name)
            let color = "c\(one.color % Self.colors)"
            if one.style != .points {
                let path = points.map { "\($0.x),\($0.y)" }.joined(separator: " ")
                svg += "<polyline class=\"\(color) \(one.style.rawValue)\" data-name=\"\(name)\" points=\"\(path)\"/>\n"
            }
            if one.style == .points || one.style == .dotted {
                // A line without length and with round ends is a dot, however the picture is stretched.
                let path = points.map { "M\($0.x) \($0.y)h0" }.joined()
                svg += "<path class=\"\(color) dot\" data-name=\"\(name)\" d=\"\(path)\"/>\n"
                let bars = one.points.map(bar).joined()
                if !bars.isEmpty { svg += "<path class=\"\(color) bar\" d=\"\(bars)\"/>\n" }
            }
        }
        if let mark, let place = x.place(mark.x), (0...1).contains(place) {
            svg += "<path class=limit d=\"M\(Self.number(place * Self.side)) 0V\(side)\"/>\n"
        }
        return svg + "</svg>\n"
    }

    private var ticks: String {
        func percent(_ place: Double) -> String { Self.number(place * 100) }
        var html = ""
        for tick in y.ticks where !tick.label.isEmpty {
            guard let place = y.place(tick.value) else { continue }
            html += "<span class=y style=\"top:\(percent(1 - place))%\">\(tick.label)</span>"
        }
        for tick in x.ticks {
            guard let place = x.place(tick.value) else { continue }
            html += "<span class=x style=\"left:\(percent(place))%\">\(tick.label)</span>"
        }
        return html + "\n"
    }

    private var shown: [Series] { series.filter { $0.style != .faint && !$0.points.isEmpty } }

    /// The x of the table's rows; none for a cloud, whose points have no order.
    private var tableXs: [Double] {
        if shown.contains(where: { $0.style == .points }) { return [] }
        func xs(_ series: [Series]) -> [Double] {
            Set(series.flatMap { $0.points.map(\.x) }).filter { x.place($0) != nil }.sorted()
        }
        func thinned(_ xs: [Double], to count: Int) -> [Double] {
            xs.count <= count ? xs : (0..<count).map { xs[$0 * (xs.count - 1) / (count - 1)] }
        }
        // Joined points are few, and each is wanted.
        let lines = thinned(xs(shown.filter { $0.style == .line }), to: rows)
        return Set(lines + thinned(xs(shown.filter { $0.style == .dotted }), to: 100)).sorted()
    }

    /// The points of a cloud, a row each, in the order in which they were given.
    private var cloudTable: String {
        var html =
            "<details><summary>\(HTMLPage.escaped(words.data))</summary><div class=scroll><table><tr><th scope=col>series<th scope=col>number"
        html += "<th scope=col>\(HTMLPage.escaped(x.title))<th scope=col>\(HTMLPage.escaped(y.title))"
        for one in shown {
            for (number, point) in one.points.prefix(1_000).enumerated() {
                html +=
                    "\n<tr><td>\(HTMLPage.escaped(one.name))<td>\(number)<td>\(Axis.short(point.x))<td>\(Axis.short(point.y))"
            }
        }
        return html + "\n</table></div></details>\n"
    }

    /// The data as a table, a column for each series.
    private var table: String {
        let xs = tableXs
        guard !xs.isEmpty else { return cloudTable }
        let values = shown.map { Dictionary($0.points.map { ($0.x, $0.text) }, uniquingKeysWith: { $1 }) }
        var html =
            "<details><summary>\(HTMLPage.escaped(words.data))</summary><div class=scroll><table><tr><th scope=col>"
        html += HTMLPage.escaped(x.title)
        for one in shown { html += "<th scope=col>\(HTMLPage.escaped(one.name.isEmpty ? y.title : one.name))" }
        for x in xs {
            html += "\n<tr><th scope=row>\(Axis.short(x))"
            for column in values { html += "<td>" + (column[x] ?? "") }
        }
        return html + "\n</table></div></details>\n"
    }
}

extension Chart.Point {
    /// Its value, and its range if it has one.
    fileprivate var text: String {
        Axis.short(y) + (range.map { " (\(Axis.short($0.lowerBound))–\(Axis.short($0.upperBound)))" } ?? "")
    }
}

extension [Chart.Point] {
    /// At most some points, each the mean of its neighbours.
    func thinned(to count: Int) -> [Chart.Point] {
        let each = Swift.max(1, (self.count + count - 1) / Swift.max(1, count))
        guard each > 1 else { return self }
        return stride(from: 0, to: self.count, by: each).map { first in
            let part = self[first..<Swift.min(first + each, self.count)]
            let sum = part.reduce(Chart.Point(x: 0, y: 0)) { Chart.Point(x: $0.x + $1.x, y: $0.y + $1.y) }
            return Chart.Point(x: sum.x / Double(part.count), y: sum.y / Double(part.count))
        }
    }

    /// A running mean of the values, over about a fiftieth of the points to either side.
    func smoothed() -> [Chart.Point] {
        let reach = count / 50
        guard reach > 0 else { return self }
        var sums = [0.0]
        for point in self { sums.append(sums[sums.count - 1] + point.y) }
        return indices.map { index in
            let part = Swift.max(0, index - reach)..<Swift.min(count, index + reach + 1)
            return Chart.Point(
                x: self[index].x, y: (sums[part.upperBound] - sums[part.lowerBound]) / Double(part.count))
        }
    }
}
