import Glibc

/// An axis of a chart: its title with the unit, its range, and its ticks at round values.
package struct Axis {
    package enum Scale {
        case linear
        /// Powers of ten.
        case logarithmic
        /// 0, then powers of two.
        case doubling
    }

    let title: String
    let scale: Scale
    /// Whether only whole numbers are ticks.
    let isWhole: Bool
    /// The ends, as places; see ``place(_:)``.
    private let low: Double
    private let high: Double

    /// - Parameters:
    ///   - values: what is drawn; those that cannot be are left out.
    ///   - bounds: the range, where it does not depend on the values.
    package init(
        _ title: String, _ values: some Sequence<Double>, scale: Scale = .linear, isWhole: Bool = false,
        from least: Double? = nil, to most: Double? = nil
    ) {
        (self.title, self.scale, self.isWhole) = (title, scale, isWhole)
        var (low, high) = (Double.infinity, -Double.infinity)
        for value in values {
            guard let place = Self.place(value, on: scale) else { continue }
            (low, high) = (min(low, place), max(high, place))
        }
        if low > high { (low, high) = (0, 1) }
        // Room, so that nothing lies on the frame.
        if high > low { (low, high) = (low - 0.04 * (high - low), high + 0.04 * (high - low)) }
        if scale == .doubling { low = max(0, low) }
        low = least.flatMap { Self.place($0, on: scale) } ?? low
        high = most.flatMap { Self.place($0, on: scale) } ?? high
        if !(high - low > 1e-12 * max(abs(high), abs(low))) {
            let margin = max(abs(high) / 10, 1e-9)
            (low, high) = (low - margin, high + margin)
        }
        (self.low, self.high) = (low, high)
    }

    /// Where a value is in a chart, from 0 at the axis's beginning to 1 at its end; nil if it cannot be drawn.
    func place(_ value: Double) -> Double? {
        Self.place(value, on: scale).map { ($0 - low) / (high - low) }
    }

    private static func place(_ value: Double, on scale: Scale) -> Double? {
        // Beyond, differences would overflow.
        guard abs(value) < 1e300 else { return nil }
        switch scale {
        case .linear: return value
        case .logarithmic: return value > 0 ? log10(value) : nil
        case .doubling: return value >= 0 ? log2(value + 1) : nil
        }
    }

    /// Round values within the range, about five, with their labels.
    var ticks: [(value: Double, label: String)] {
        switch scale {
        case .linear: linearTicks
        case .logarithmic: logarithmicTicks
        case .doubling:
            ([0] + (0...30).map { exp2(Double($0)) }).enumerated().compactMap { index, value in
                guard let place = place(value), (-1e-9...1 + 1e-9).contains(place) else { return nil }
                // Beyond 4 each second one has a label.
                return (value, index > 3 && index % 2 == 0 ? "" : Self.short(value))
            }
        }
    }

    /// Steps of 1, 2 or 5 times a power of ten (Heckbert 1990).
    private var linearTicks: [(value: Double, label: String)] {
        let rough = (high - low) / 6
        let unit = pow(10, log10(rough).rounded(.down))
        let step = max(isWhole ? 1 : 0, unit * ([1, 2, 5, 10].first { unit * $0 >= rough * (1 - 1e-9) } ?? 10))
        let decimals = max(0, Int(-log10(step).rounded(.down)))
        let first = (low / step - 1e-9).rounded(.up)
        return (0...20).map { (first + Double($0)) * step }.filter { $0 <= high + 1e-9 * step }.map { value in
            let isHuge = abs(value) >= 1e15 || decimals > 6
            let text = isHuge ? formatted(value, as: "%.3g") : Self.grouped(value, decimals: decimals)
            return (value, text)
        }
    }

    /// Powers of ten; 2 and 5 times them too where there are few.
    private var logarithmicTicks: [(value: Double, label: String)] {
        let decades = high - low
        let each = max(1, Int((decades / 6).rounded(.up)))
        let factors: [Double] = decades < 1 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : decades < 2.5 ? [1, 2, 5] : [1]
        let range = Int(low.rounded(.down))...Int(high.rounded(.up))
        return range.filter { $0 % each == 0 || factors.count > 1 }.flatMap { exponent in
            factors.map { (factor: $0, exponent: exponent) }
        }.compactMap { factor, exponent in
            let value = factor * pow(10, Double(exponent))
            guard let place = place(value), (-1e-9...1 + 1e-9).contains(place) else { return nil }
            return (value, Self.power(factor, exponent))
        }
    }

    /// 0.001 to 10,000 in digits, what is beyond as "2·10⁻⁷".
    private static func power(_ factor: Double, _ exponent: Int) -> String {
        if (-3...4).contains(exponent) {
            let value = factor * pow(10, Double(exponent))
            return value >= 1_000 ? grouped(value, decimals: 0) : formatted(value, as: "%g")
        }
        let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        let digits = String(abs(exponent)).map { superscripts[$0.wholeNumberValue ?? 0] }
        return (factor == 1 ? "" : "\(Int(factor))·") + "10" + (exponent < 0 ? "⁻" : "") + String(digits)
    }

    /// A number with thousands separated.
    static func grouped(_ value: Double, decimals: Int) -> String {
        let text = formatted(abs(value), decimals: decimals)
        let parts = text.split(separator: ".")
        let whole = Int(parts[0]).map { formatted($0) } ?? String(parts[0])
        let isNegative = value < 0 && text.contains { $0 != "0" && $0 != "." }
        return (isNegative ? "−" : "") + whole + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// A value for people to read: four significant digits.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        if size >= 1e15 || (size < 1e-3 && size > 0) {
            return formatted(value, as: "%.3g").replacing("-", with: "−")
        }
        if value == value.rounded() { return grouped(value, decimals: 0) }
        return grouped(value, decimals: size >= 1_000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)
    }
}
