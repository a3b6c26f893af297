import Foundation

/// Curves over steps, as SVG.
struct Plot {
    struct Point {
        var x: Double
        var y: Double
    }

    /// A line and dots for each of several runs.
    let lines: [[Point]]
    let dots: [[Point]]
    /// Whether y values are base-10 logarithms.
    let isLogarithmic: Bool

    private static let (width, height, left, bottom) = (900.0, 280.0, 70.0, 30.0)

    func svg(title: String) -> String {
        let all = (lines + dots).joined()
        guard let first = all.first else { return "<p>nothing to show</p>\n" }
        let (right, low, high) = all.reduce((first.x, first.y, first.y)) { bounds, point in
            (max(bounds.0, point.x), min(bounds.1, point.y), max(bounds.2, point.y))
        }
        let span = high > low ? high - low : max(abs(high), 1e-9)
        let (bottom, top) = (low - 0.05 * span, high + 0.05 * span)
        func x(_ value: Double) -> String {
            formatted(Self.left + value / max(right, 1) * (Self.width - Self.left - 10), decimals: 1)
        }
        func y(_ value: Double) -> String {
            formatted((top - value) / (top - bottom) * (Self.height - Self.bottom), decimals: 1)
        }
        var svg = """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role=img aria-label="\(title), from \(label(low)) to \
            \(label(high)) over \(formatted(Int(right))) steps">

            """
        for value in ticks(from: bottom, to: top) {
            svg += """
                <line class=grid x1="\(x(0))" x2="\(x(right))" y1="\(y(value))" y2="\(y(value))"/>\
                <text text-anchor=end x="\(Int(Self.left) - 8)" y="\(y(value))" dy=".3em">\(label(value))</text>

                """
        }
        for value in ticks(from: 0, to: right, atLeast: 1) {
            svg += """
                <text text-anchor=middle x="\(x(value))" y="\(Int(Self.height) - 8)">\(formatted(Int(value)))</text>

                """
        }
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let points = thinned(line).map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
            svg += "<polyline class=c\(index % 6) style=\"fill:none\" points=\"\(points)\"/>\n"
        }
        for (index, points) in dots.enumerated() {
            for point in points {
                svg += "<circle class=c\(index % 6) r=4 cx=\"\(x(point.x))\" cy=\"\(y(point.y))\">"
                svg += "<title>step \(formatted(Int(point.x))): \(label(point.y))</title></circle>\n"
            }
        }
        return svg + "</svg>\n"
    }

    /// At most about a thousand points, each the mean of its neighbours.
    private func thinned(_ line: [Point]) -> [Point] {
        let each = (line.count + 999) / 1_000
        return stride(from: 0, to: line.count, by: max(1, each)).map { first in
            let part = line[first..<min(first + each, line.count)]
            let sum = part.reduce(Point(x: 0, y: 0)) { Point(x: $0.x + $1.x, y: $0.y + $1.y) }
            return Point(x: sum.x / Double(part.count), y: sum.y / Double(part.count))
        }
    }

    /// Round numbers, about five of them (Heckbert 1990).
    private func ticks(from low: Double, to high: Double, atLeast least: Double = 0) -> [Double] {
        guard high > low else { return [low] }
        let rough = (high - low) / 5
        let unit = pow(10, log10(rough).rounded(.down))
        let step = max(least, unit * ([1, 2, 5, 10].first { unit * $0 >= rough } ?? 10))
        let first = (low / step).rounded(.up)
        return (0...20).map { (first + Double($0)) * step }.filter { $0 <= high }
    }

    private func label(_ value: Double) -> String {
        String(format: "%.4g", isLogarithmic ? pow(10, value) : value)
    }
}
