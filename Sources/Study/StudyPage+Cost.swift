import RealModule
import RecurrentNetwork
import Reports

/// The sections on costs, data and settings.
extension StudyPage {
    var cost: String {
        func rows(_ page: (CellKind) -> String, _ alike: String) -> [[String]] {
            StudyPlan.cells.map { cell in
                [
                    Self.title(cell), whole(value(page(cell), "parameters")),
                    value(page(cell), "memory").map { formatted($0 / 1e6, decimals: 0) } ?? "-",
                    whole(value(page(cell), "speed")), whole(value("sampling", "\(cell.rawValue), equal \(alike)")),
                ]
            }
        }
        let heads = [say(.cell), say(.parameters), say(.memory), say(.training), say(.sampling)]
        let picture =
            "<h3>\(HTMLPage.escaped(say(.equalUnits)))</h3>\n" + table(heads, rows(Study.costName, "units"))
            + "<h3>\(HTMLPage.escaped(say(.equalParameters)))</h3>\n"
            + table(heads, rows({ Study.name($0, 1, plan.seeds[0]) }, "parameters"))
        let speeds = StudyPlan.cells.map { value(Study.costName($0), "speed") ?? 1 }
        let (toGRU, toRNN) = (speeds[1] / speeds[2], speeds[0] / speeds[1])
        return section(
            .costTitle, .costClaim, .costExperiment,
            byHand: StudyPlan.cells.map { plan.cost($0).command(on: files()) },
            picture: picture,
            verdict: [
                say(.costVerdict, formatted(toGRU, decimals: 2), formatted(toRNN, decimals: 2)),
                say(toGRU > 1 && toRNN > 1 ? .costHolds : .costFails),
            ])
    }

    func nats(_ cell: CellKind, _ divisor: Int) -> [Double] { values("nats") { Study.name(cell, divisor, $0) } }

    func best(_ divisor: Int) -> CellKind {
        StudyPlan.cells.filter { !nats($0, divisor).isEmpty }.min { nats($0, divisor).mean < nats($1, divisor).mean }
            ?? .gru
    }

    var data: String {
        func name(_ divisor: Int) -> String { divisor == 1 ? say(.all) : "1/\(divisor)" }
        let rows = StudyPlan.cells.map { cell in [Self.title(cell)] + plan.divisors.map { spread(nats(cell, $0)) } }
        let curves = StudyPlan.cells.enumerated().map { index, cell in
            means(Self.title(cell), plan.divisors.map { 1 / Double($0) }, plan.divisors.map { nats(cell, $0) }, index)
        }
        let (little, much) = (best(plan.divisors[0]), best(1))
        return section(
            .dataTitle, .dataClaim, .dataExperiment,
            byHand: StudyPlan.cells.flatMap { cell in plan.divisors.map { compared(cell, $0) } },
            picture: chart(say(.dataTitle), x: (say(.text), .logarithmic), y: (say(.natsPerSymbol), .linear), curves)
                + table([say(.cell)] + plan.divisors.map(name), rows),
            verdict: [
                say(
                    .dataVerdict, Self.title(little), nats(nats(little, plan.divisors[0]).mean), Self.title(much),
                    nats(nats(much, 1).mean)),
                say(little == .gru && much == .lstm ? .dataHolds : .dataFails),
            ])
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
        func rise(_ kind: String) -> (rise: Double, best: Double) {
            let nats = values("overfitting \(kind)", "validation nats") ?? []
            let best = nats.min() ?? .infinity
            return ((nats.last ?? best) - best, best)
        }
        let (without, with) = (rise("none"), rise("both"))
        let holds = without.rise > 0.01 && with.rise < without.rise && with.best < without.best
        return section(
            .overfitTitle, .overfitClaim, .overfitExperiment,
            byHand: StudyPlan.dropouts.map {
                plan.overfitting(dropout: $0.dropout, weightDropout: $0.weightDropout)
                    .command(on: files("few")) + " --report \($0.name).html"
            },
            picture: chart(say(.overfitTitle), x: (say(.passes), .linear), y: (say(.natsPerSymbol), .linear), curves),
            verdict: [
                say(.overfitVerdict, nats(without.rise), nats(with.rise), nats(without.best), nats(with.best)),
                say(holds ? .overfitHolds : .overfitFails),
            ])
    }

    var rates: String {
        func found(_ width: Int, _ rate: Double) -> Double {
            let page = Study.rateName(width, rate)
            return value(page, "diverged") == 1 ? .infinity : value(page, "nats") ?? .infinity
        }
        let all = plan.widths.flatMap { width in plan.rates.map { found(width, $0) } }.filter(\.isFinite)
        let (low, high) = (all.min() ?? 0, all.max() ?? 1)
        let rows = plan.widths.map { width in
            "\n<tr><th scope=row>\(width)"
                + plan.rates.map { rate in
                    let nats = found(width, rate)
                    let part = nats.isFinite ? 1 - (nats - low) / max(high - low, 1e-9) : 0
                    return
                        "<td style=\"background:rgb(var(--low)/\(formatted(0.05 + 0.6 * part * part, decimals: 2)))\">\(self.nats(nats))"
                }.joined()
        }
        let heads = (["\(say(.units)) \\ \(say(.rate))"] + plan.rates.map { "\($0)" }).map {
            "<th scope=col>\(HTMLPage.escaped($0))"
        }
        let best = plan.widths.map { width in plan.rates.min { found(width, $0) < found(width, $1) }! }
        let rateCost = plan.widths.compactMap { width in
            let some = plan.rates.map { found(width, $0) }.filter(\.isFinite)
            return some.max().map { $0 - some.min()! }
        }.max()
        let bests = zip(plan.widths, best).map { found($0, $1) }.filter(\.isFinite)
        return section(
            .rateTitle, .rateClaim, .rateExperiment,
            byHand: plan.rates.map { plan.variation(width: plan.widths[0], rate: $0).command(on: files()) },
            picture: "<div class=scroll><table class=heat><tr>\(heads.joined())\(rows.joined())\n</table></div>\n",
            verdict: [
                say(
                    .rateVerdict, best.map { "\($0)" }.joined(separator: ", "), nats(rateCost),
                    nats(bests.max().map { $0 - bests.min()! }))
            ])
    }

    var speed: String {
        let threads = (values("parallelism", "threads") ?? []).map { Int($0) }
        func found(_ threads: Int, _ batch: Int) -> Double {
            value("parallelism", Study.speedName(threads, batch)) ?? 0
        }
        let rows = threads.map { count in ["\(count)"] + plan.batches.map { whole(found(count, $0)) } }
        let curves = threads.enumerated().map { index, count in
            series(
                "\(count) \(say(.threads))", plan.batches.map(Double.init), plan.batches.map { found(count, $0) },
                index,
                .dotted)
        }
        let (few, many, most) = (plan.batches[0], plan.batches[plan.batches.count - 1], threads.last ?? 1)
        func growth(_ batch: Int) -> String { formatted(found(most, batch) / max(1, found(1, batch)), decimals: 2) }
        return section(
            .speedTitle, .speedClaim, .speedExperiment,
            byHand: threads.map { "\(plan.speed(batch: few).command(on: files())) --threads \($0)" },
            picture: chart(say(.speedTitle), x: (say(.lanes), .doubling), y: (say(.symbolsPerSecond), .linear), curves)
                + table(["\(say(.threads)) \\ \(say(.lanes))"] + plan.batches.map(String.init), rows),
            verdict: [say(.speedVerdict, "\(most)", growth(few), "\(few)", growth(many), "\(many)")])
    }

    var which: String {
        func much(_ cell: CellKind) -> String { nats(nats(cell, 1).mean) }
        let rows = [
            [say(.whichSimple), say(.whichShort, "\(recalledLag(.rnn))", much(.rnn), much(best(1)))],
            [
                say(.whichModerate),
                say(
                    .whichFast, "\(recalledLag(.gru))", nats(nats(.gru, plan.divisors[0]).mean), much(.gru),
                    whole(value("sampling", "gru, equal units"))),
            ],
            [
                say(.whichLong),
                say(
                    .whichFast, "\(recalledLag(.lstm))", nats(nats(.lstm, plan.divisors[0]).mean), much(.lstm),
                    whole(value("sampling", "lstm, equal units"))),
            ],
        ]
        return
            "<section>\n<h2>\(HTMLPage.escaped(say(.whichTitle)))</h2>\n<p>\(HTMLPage.escaped(say(.whichLead)))</p>\n"
            + table([say(.lecture), say(.measured)], rows) + "</section>\n"
    }
}
