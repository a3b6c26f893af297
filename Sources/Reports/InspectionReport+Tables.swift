/// Tables to read.
extension InspectionReport {
    public func table() -> String {
        (memoryTable + flowTable + gateTable + unitTable).joined(separator: "\n") + "\n"
    }

    private func cells(_ texts: [String]) -> String {
        texts.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }

    private var memoryTable: [String] {
        (memory.map { rows("memory", $0) } ?? []) + (memoryBaseline.map { rows("n-grams", $0) } ?? [])
    }

    private func rows(_ name: String, _ memory: [Memory]) -> [String] {
        [
            (name == "memory" ? "" : "\n")
                + "\(name): mean nats per symbol, seeing only the last symbols, at \(formatted(memoryPositions ?? 0)) positions",
            cells(["symbols", "nats", "error"]),
        ]
            + memory.map { point in
                cells([
                    point.context.value.map { formatted($0) } ?? "all",
                    point.nats.value.map { formatted($0, decimals: 4) } ?? "overflow",
                    point.standardError.value.map { formatted($0, decimals: 4) } ?? "-",
                ])
            }
    }

    /// The best unit of each fact.
    private var unitTable: [String] {
        var seen: Set<String> = []
        let best = (units ?? []).filter { seen.insert($0.fact).inserted }
        guard !best.isEmpty else { return [] }
        return [
            "", "units worth knowing: found on one half of the text, scored on the other",
            cells(["score", "layer", "unit"]) + "  fact",
        ]
            + best.map { unit in
                cells([formatted(unit.score, decimals: 3), "\(unit.layer)", "\(unit.unit)"])
                    + "  \(unit.fact)\(unit.inverted ? " (low where true)" : "") (\(unit.measure))"
            }
    }

    /// Lags 0, 1, 2, 4 and so on, a column for each layer and state.
    private var flowTable: [String] {
        let longest = gradientFlow.map(\.lag).max() ?? 0
        let lags = [0] + sequence(first: 1) { $0 * 2 <= longest ? $0 * 2 : nil }.filter { $0 <= longest }
        let columns = gradientFlow.filter { $0.lag == 0 }
        let kind = untrainedSeed.map { "untrained, seed \($0)" } ?? "trained"
        let scale = recurrentScale == 1 ? "" : ", recurrent weights times \(recurrentScale)"
        return [
            memory == nil ? "" : "\n",
            "gradient flow: mean norm of the gradient of -ln p by the state some symbols back (\(kind)\(scale))",
            cells(["lag"] + columns.map { "layer \($0.layer) \($0.state)" }),
        ]
            + lags.map { lag in
                cells(
                    [formatted(lag)]
                        + columns.map { column in
                            let point = gradientFlow.first {
                                ($0.layer, $0.state, $0.lag) == (column.layer, column.state, lag)
                            }
                            return point?.norm.value.map { formatted($0, as: "%.3e") } ?? "overflow"
                        })
            }
    }

    /// A row for each layer and gate: means over its units, and the median half-life.
    private var gateTable: [String] {
        guard let gates, !gates.isEmpty else { return [] }
        let groups = Dictionary(grouping: gates) { "\($0.layer) \($0.gate)" }
        let order = gates.filter { $0.unit == 0 }.map { "\($0.layer) \($0.gate)" }
        return ["", "gates: means over the units of a layer; half-life in symbols, the median"]
            + [cells(["layer", "gate", "mean", "below 0.1", "above 0.9", "half-life"])]
            + order.map { name in
                let units = groups[name]!
                func mean(_ value: (Gate) -> Double) -> String {
                    formatted(units.map(value).reduce(0, +) / Double(units.count), decimals: 3)
                }
                let lives = units.compactMap(\.halfLife.value).sorted()
                return cells([
                    "\(units[0].layer)", units[0].gate, mean { $0.mean.value ?? .nan }, mean(\.below), mean(\.above),
                    lives.isEmpty ? "-" : formatted(lives[lives.count / 2], decimals: 1),
                ])
            }
    }
}
