import RealModule
import RecurrentNetwork
import Reports

/// The sections on settings and speed, and the lecture's table.
extension StudyPage {
    /// The nats with a rate; infinite if the training diverged, nil if it was not measured.
    private func found(_ width: Int, _ rate: Double) -> Double? {
        let page = Study.rateName(width, rate)
        return value(page, "diverged") == 1 ? .infinity : value(page, "nats")
    }

    private func bestRate(_ width: Int) -> Double? {
        plan.rates.filter { found(width, $0)?.isFinite ?? false }.min { found(width, $0)! < found(width, $1)! }
    }

    private var heatMap: String {
        let all = plan.widths.flatMap { width in plan.rates.compactMap { found(width, $0) } }.filter(\.isFinite)
        let (low, high) = (all.min() ?? 0, all.max() ?? 1)
        func cell(_ nats: Double?) -> String {
            let part = nats.map { $0.isFinite ? 1 - ($0 - low) / max(high - low, 1e-9) : 0 } ?? 0
            let shade = formatted(0.05 + 0.6 * part * part, decimals: 2)
            return "<td style=\"background:rgb(var(--low)/\(shade))\">\(self.nats(nats))"
        }
        let rows = plan.widths.map { width in
            "\n<tr><th scope=row>\(width)" + plan.rates.map { cell(found(width, $0)) }.joined()
        }
        let heads = (["\(say(.units)) \\ \(say(.rate))"] + plan.rates.map { "\($0)" }).map {
            "<th scope=col>\(HTMLPage.escaped($0))"
        }
        return "<div class=scroll><table class=heat><tr>\(heads.joined())\(rows.joined())\n</table></div>\n"
    }

    var rates: String {
        section(
            .rateTitle, .rateClaim, .rateExperiment,
            byHand: plan.rates.map { plan.variation(width: plan.widths[0], rate: $0).command(on: files()) },
            picture: heatMap, verdict: rateVerdict)
    }

    private var rateVerdict: [String] {
        let all = plan.widths.map { width in plan.rates.compactMap { found(width, $0) } }
        guard all.allSatisfy({ $0.count == plan.rates.count }) else { return [say(.notMeasured)] }
        let bests = plan.widths.map(bestRate)
        let costs = all.map { $0.filter(\.isFinite) }.compactMap { nats in nats.max().map { $0 - nats.min()! } }
        let reached = all.compactMap { $0.min() }.filter(\.isFinite)
        let width = reached.max().map { $0 - reached.min()! }
        var verdict = [
            say(
                .rateVerdict, bests.map { $0.map { "\($0)" } ?? "-" }.joined(separator: ", "), nats(costs.max()),
                nats(width))
        ]
        let fails = all.contains { $0.contains(.infinity) }
        if fails { verdict.append(say(.rateInfinite)) }
        if !fails && costs.max() ?? 0 < 0.1 { return verdict + [say(.rateFails)] }
        return verdict + [say(Set(bests).count > 1 ? .rateHolds : .rateSame)]
    }

    var speed: String {
        let threads = (values("parallelism", "threads") ?? []).map { Int($0) }
        func found(_ threads: Int, _ batch: Int) -> Double? {
            value("parallelism", Study.speedName(threads, batch))
        }
        let batches = plan.batches.filter { found(1, $0) != nil }
        let rows = threads.map { count in ["\(count)"] + batches.map { whole(found(count, $0)) } }
        let curves = threads.enumerated().map { index, count in
            series(
                "\(count) \(say(.threads))", batches.map(Double.init), batches.map { found(count, $0) ?? .nan }, index,
                .dotted)
        }
        /// How many times as fast all threads are as one.
        func growth(_ batch: Int?) -> Double? {
            batch.flatMap { batch in
                found(1, batch).flatMap { one in found(threads.last ?? 1, batch).map { $0 / one } }
            }
        }
        return section(
            .speedTitle, .speedClaim, .speedExperiment,
            byHand: plan.batches.map { plan.speed(batch: $0).command(on: files()) },
            picture: chart(say(.speedTitle), x: (say(.lanes), .doubling), y: (say(.symbolsPerSecond), .linear), curves)
                + table(["\(say(.threads)) \\ \(say(.lanes))"] + batches.map(String.init), rows),
            verdict: speedVerdict(threads, batches, growth(batches.first), growth(batches.last)))
    }

    private func speedVerdict(_ threads: [Int], _ batches: [Int], _ few: Double?, _ many: Double?) -> [String] {
        guard let few, let many, let most = threads.last else { return [say(.notMeasured)] }
        guard most > 1 else { return [say(.speedAlone)] }
        return [
            say(
                .speedVerdict, "\(most)", formatted(few, decimals: 2), "\(batches[0])", formatted(many, decimals: 2),
                "\(batches[batches.count - 1])"),
            say(few < 0.95 * many ? .speedHolds : .speedFails),
        ]
    }

    var which: String {
        func all(_ cell: CellKind?) -> String { nats(cell.map { nats($0, 1) } ?? []) }
        func fast(_ cell: CellKind) -> String {
            say(
                .whichFast, "\(recalledLag(cell))", nats(nats(cell, plan.divisors[0])), all(cell),
                whole(value("speeds", Study.speedName("sampling", cell, .units))))
        }
        let rows = [
            [say(.whichSimple), say(.whichShort, "\(recalledLag(.rnn))", all(.rnn), all(ranking(1).first))],
            [say(.whichModerate), fast(.gru)], [say(.whichLong), fast(.lstm)],
        ]
        return
            "<section>\n<h2>\(HTMLPage.escaped(say(.whichTitle)))</h2>\n<p>\(HTMLPage.escaped(say(.whichLead)))</p>\n"
            + table([say(.lecture), say(.measured)], rows) + "</section>\n"
    }
}
