import Glibc

/// What the page of an evaluation adds to its figures.
extension EvaluationReport {
    /// The figures of the page; the sentence says what they mean.
    public var facts: [(name: String, value: String)] {
        rows.map { row in
            row.name == "bits per character"
                ? (row.name, total.bitsPerCharacter.map { formatted($0, decimals: 3) } ?? "-") : row
        }
    }

    /// How good the score is, in words.
    public var sentence: String {
        guard total.tokens > 0 else { return "There is nothing to score." }
        guard let bits = total.bitsPerCharacter, let mean else { return "The model's loss on this text is not finite." }
        var sentence =
            "The model needs \(formatted(bits, decimals: 2)) bits for a character: as if it chose among "
            + "\(choices(exp2(bits))) equally likely ones each time."
        if let bytes = total.bitsPerByte, bytes < 8 {
            sentence +=
                " A file compressed with it would have \(formatted(bytes / 8 * 100, decimals: 0)) % of the size."
        }
        if let best = bestBaseline {
            let gain = (1 - mean / best.nats) * 100
            guard abs(gain) < 1_000 else { return sentence + " The best n-grams need far fewer." }
            sentence +=
                " It needs \(formatted(abs(gain), decimals: 1)) % \(gain >= 0 ? "fewer" : "more") bits than the best n-grams, those of "
                + "\(best.order) symbol\(best.order == 1 ? "" : "s")."
        }
        return sentence
    }

    private func choices(_ number: Double) -> String {
        number < 1e6 ? Axis.grouped(number, decimals: number < 10 ? 1 : 0) : "very many"
    }

    private var bestBaseline: (order: Int, nats: Double)? {
        context.baselineNats?.enumerated().map { ($0 + 1, $1) }.min { $0.1 < $1.1 }
    }

    /// The score under n-grams by their length, beside the network's; empty without a baseline.
    public var baselineChart: String {
        guard let baseline = context.baselineNats, let mean else { return "" }
        let points = baseline.enumerated().map { Chart.Point(x: Double($0 + 1), y: $1) }
        let line = points.map { Chart.Point(x: $0.x, y: mean) }
        return Chart(
            title: "Beside n-grams",
            x: Axis("symbols in an n-gram", points.map(\.x), isWhole: true),
            y: Axis("nats per symbol", baseline + [mean]),
            series: [
                Chart.Series(name: "network", points: line, color: 0),
                Chart.Series(name: "n-grams", points: points, style: .dotted, color: 1),
            ]
        ).html
    }
}
