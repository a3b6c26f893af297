import RealModule
import RecurrentNetwork
import Reports

/// The sections on costs, data and settings.
extension StudyPage {
    var cost: String {
        func speed(_ what: String, _ cell: CellKind, _ alike: Study.Alike) -> Double? {
            value("speeds", Study.speedName(what, cell, alike))
        }
        func rows(_ alike: Study.Alike, _ page: (CellKind) -> String) -> [[String]] {
            StudyPlan.cells.map { cell in
                [
                    Self.title(cell), whole(value(page(cell), "units")), whole(value(page(cell), "parameters")),
                    value(page(cell), "memory").map { formatted($0 / 1e6, decimals: 0) } ?? "-",
                    whole(speed("training", cell, alike)), whole(speed("sampling", cell, alike)),
                ]
            }
        }
        let heads = [say(.cell), say(.units), say(.parameters), say(.memory), say(.training), say(.sampling)]
        let picture =
            "<h3>\(HTMLPage.escaped(say(.equalUnits)))</h3>\n" + table(heads, rows(.units, Study.costName))
            + "<h3>\(HTMLPage.escaped(say(.equalParameters)))</h3>\n"
            + table(heads, rows(.parameters) { Study.name($0, 1, plan.seeds[0]) })
        let speeds = StudyPlan.cells.map { speed("training", $0, .units) ?? 0 }
        let isMeasured = speeds.allSatisfy { $0 > 0 }
        let (toGRU, toRNN) = isMeasured ? (speeds[1] / speeds[2], speeds[0] / speeds[1]) : (.nan, .nan)
        return section(
            .costTitle, .costClaim, .costExperiment,
            byHand: StudyPlan.cells.map { plan.cost($0).command(on: files()) },
            picture: picture,
            verdict: [
                say(.costVerdict, formatted(toGRU, decimals: 2), formatted(toRNN, decimals: 2)),
                judged(isMeasured ? toGRU > 1.05 && toRNN > 1.05 : nil, .costHolds, .costFails),
            ])
    }

    func nats(_ cell: CellKind, _ divisor: Int) -> [Double] { values("nats") { Study.name(cell, divisor, $0) } }

    /// Cells by their mean nats, the best first.
    func ranking(_ divisor: Int) -> [CellKind] {
        StudyPlan.cells.filter { !nats($0, divisor).isEmpty }
            .sorted { nats($0, divisor).mean < nats($1, divisor).mean }
    }

    /// Whether the best cell is the best with every seed, and by more than chance may bring.
    private func isClear(_ ranking: [CellKind], _ divisor: Int) -> Bool {
        guard ranking.count > 1, let worst = nats(ranking[0], divisor).max() else { return false }
        return ranking.dropFirst().allSatisfy { nats($0, divisor).min()! > worst + 0.01 }
    }

    private func dataVerdict() -> [String] {
        let (few, all) = (plan.divisors[0], 1)
        let (little, much) = (ranking(few), ranking(all))
        guard little.count > 1, much.count > 1 else { return [say(.notMeasured)] }
        let found = say(
            .dataVerdict, Self.title(little[0]), nats(nats(little[0], few)), Self.title(little[1]),
            nats(nats(little[1], few)), Self.title(much[0]), nats(nats(much[0], all)), Self.title(much[1]),
            nats(nats(much[1], all)))
        guard little[0] == .gru && much[0] == .lstm else { return [found, say(.dataFails)] }
        return [found, say(isClear(little, few) && isClear(much, all) ? .dataHolds : .dataClose)]
    }

    var data: String {
        func name(_ divisor: Int) -> String { divisor == 1 ? say(.all) : "1/\(divisor)" }
        let rows = StudyPlan.cells.map { cell in [Self.title(cell)] + plan.divisors.map { spread(nats(cell, $0)) } }
        let curves = StudyPlan.cells.enumerated().map { index, cell in
            means(Self.title(cell), plan.divisors.map { 1 / Double($0) }, plan.divisors.map { nats(cell, $0) }, index)
        }
        return section(
            .dataTitle, .dataClaim, .dataExperiment,
            byHand: StudyPlan.cells.flatMap { cell in plan.divisors.map { compared(cell, $0) } },
            picture: chart(say(.dataTitle), x: (say(.text), .logarithmic), y: (say(.natsPerSymbol), .linear), curves)
                + table([say(.cell)] + plan.divisors.map(name), rows),
            verdict: dataVerdict())
    }

    var overfitting: String {
        let kinds = [("none", StudyText.Key.none), ("dropout", .dropout), ("both", .both)]
        let curves = kinds.enumerated().flatMap { index, kind in
            let page = "overfitting \(kind.0)"
            return [
                series(
                    "\(say(kind.1)): \(say(.validationLoss))", values(page, "validation passes"),
                    values(page, "validation nats"), index),
                series(
                    "\(say(kind.1)): \(say(.trainingLoss))", values(page, "training passes"),
                    values(page, "training nats"), index, .faint),
            ]
        }
        func rise(_ kind: String) -> (rise: Double, best: Double)? {
            guard let nats = values("overfitting \(kind)", "validation nats"), let best = nats.min() else { return nil }
            return (nats[nats.count - 1] - best, best)
        }
        let (without, with) = (rise("none"), rise("both"))
        let holds = without.flatMap { without in
            with.map { without.rise > 0.01 && $0.rise < without.rise && $0.best < without.best }
        }
        return section(
            .overfitTitle, .overfitClaim, .overfitExperiment,
            byHand: StudyPlan.dropouts.map {
                plan.overfitting(dropout: $0.dropout, weightDropout: $0.weightDropout)
                    .command(on: files("few")) + " --report \($0.name).html"
            },
            picture: chart(say(.overfitTitle), x: (say(.passes), .linear), y: (say(.natsPerSymbol), .linear), curves),
            verdict: [
                say(.overfitVerdict, nats(without?.rise), nats(with?.rise), nats(without?.best), nats(with?.best)),
                judged(holds, .overfitHolds, .overfitFails),
            ])
    }
}
