import RealModule
import RecurrentNetwork
import Reports

/// The sections on what networks remember.
extension StudyPage {
    var context: String {
        let curves = StudyPlan.cells.enumerated().map { index, cell in
            let contexts = values("context \(cell.rawValue)", "contexts")
            return series(Self.title(cell), contexts, values("context \(cell.rawValue)", "nats"), index, .dotted)
        }
        let (zero, lstm) = (value("context order 0", "nats"), values("context lstm", "nats"))
        let short = lstm?.count ?? 0 > 4 ? lstm?[4] : nil
        let all = lstm?.last
        let gain = short.flatMap { short in all.map { short - $0 } } ?? 0
        let picture = chart(
            say(.contextTitle), x: (say(.contextLength), .doubling), y: (say(.natsPerSymbol), .linear), curves)
        return section(
            .contextTitle, .contextClaim, .contextExperiment,
            byHand: [compared(.lstm) + " --output lstm.safetensors", "inspect lstm.safetensors \(validation)"],
            picture: picture,
            verdict: [
                say(.contextVerdict, nats(zero), nats(short), nats(all)),
                say(gain > 0.02 ? .contextHolds : .contextFails, nats(gain)),
            ])
    }

    var flow: String {
        let curves = StudyPlan.cells.enumerated().flatMap { index, cell in
            [("trained", Chart.Series.Style.line, StudyText.Key.trained), ("untrained", .faint, .untrained)].map {
                state, style, key in
                let page = "gradients \(cell.rawValue), \(state)"
                return series("\(Self.title(cell)), \(say(key))", values(page, "lags"), values(page, "h"), index, style)
            }
        }
        let lags = StudyPlan.cells.compactMap { values("gradients \($0.rawValue), trained", "lags")?.last }
        let lag = Int(min(32, lags.min() ?? 0))
        let left = StudyPlan.cells.map { cell -> Double? in
            guard let norms = values("gradients \(cell.rawValue), trained", "h"), norms.count > lag else { return nil }
            return norms[lag] / norms[0]
        }
        let holds = (left[0] ?? 0) < min(left[1] ?? 0, left[2] ?? 0)
        return section(
            .flowTitle, .flowClaim, .flowExperiment,
            byHand: [
                compared(.rnn) + " --output rnn.safetensors",
                "inspect rnn.safetensors \(validation) --lags 128",
                "inspect rnn.safetensors \(validation) --lags 128 --untrained",
            ],
            picture: chart(say(.flowTitle), x: (say(.lag), .linear), y: (say(.norm), .logarithmic), curves),
            verdict: [
                say(
                    .flowVerdict, "\(lag)", left.map(percent)[0], left.map(percent)[1], left.map(percent)[2],
                    left.map(percent)[3]),
                say(holds ? .flowHolds : .flowFails),
            ])
    }

    func percent(_ part: Double?) -> String {
        part.map { $0 < 1e-5 ? "< 0.001 %" : "\(formatted($0 * 100, decimals: $0 < 0.01 ? 3 : 1)) %" } ?? "-"
    }

    var explosion: String {
        let pages = StudyPlan.clips.map { "explosion \($0.name)" }
        let names = [say(.clipped), say(.unclipped)]
        let losses = pages.indices.map {
            series(names[$0], values(pages[$0], "training passes"), values(pages[$0], "training nats"), $0)
        }
        let norms = pages.indices.map {
            series(names[$0], values(pages[$0], "training passes"), values(pages[$0], "gradient norms"), $0)
        }
        let found = pages.map { page in
            (
                norm: values(page, "gradient norms")?.max(), recoveries: value(page, "recoveries") ?? 0,
                nats: value(page, "diverged") == 1 ? Double.infinity : value(page, "nats") ?? .infinity
            )
        }
        let holds = found[1].recoveries > found[0].recoveries || found[1].nats > found[0].nats + 0.1
        return section(
            .explosionTitle, .explosionClaim, .explosionExperiment,
            byHand: StudyPlan.clips.map { plan.explosion(clip: $0.clip).command(on: files()) },
            picture: "<div class=plots>"
                + chart(say(.trainingLoss), x: (say(.passes), .linear), y: (say(.natsPerSymbol), .linear), losses)
                + chart(say(.norm), x: (say(.passes), .linear), y: (say(.norm), .logarithmic), norms) + "</div>\n",
            verdict: [
                say(
                    .explosionVerdict, short(found[0].norm), whole(found[0].recoveries), nats(found[0].nats),
                    short(found[1].norm), whole(found[1].recoveries), nats(found[1].nats)),
                say(holds ? .explosionHolds : .explosionFails),
            ])
    }

    private func short(_ value: Double?) -> String { value.map { $0.isFinite ? Axis.short($0) : "∞" } ?? "-" }

    // MARK: Recall

    func accuracies(_ cell: CellKind, _ lag: Int) -> [Double] {
        values("accuracy") { Study.recallName(cell, lag, $0) }
    }

    /// The longest lag up to which a cell names nine symbols of ten; 0 if there is none.
    func recalledLag(_ cell: CellKind) -> Int { plan.lags.prefix { accuracies(cell, $0).mean >= 0.9 }.last ?? 0 }

    var recall: String {
        let curves = StudyPlan.cells.enumerated().map { index, cell in
            means(
                Self.title(cell), plan.lags.map(Double.init),
                plan.lags.map { accuracies(cell, $0).map { $0 * 100 } }, index)
        }
        let rows = StudyPlan.cells.map { cell in
            [Self.title(cell)] + plan.lags.map { "\(formatted(accuracies(cell, $0).mean * 100, decimals: 0)) %" }
        }
        let lag = plan.lags[plan.lags.count / 2]
        let picture =
            chart(say(.recallTitle), x: (say(.lag), .doubling), y: ("%", .linear), curves)
            + table([say(.cell)] + plan.lags.map(String.init), rows)
        return section(
            .recallTitle, .recallClaim, .recallExperiment,
            byHand: [
                "lecture --recall \(lag) > recall.txt",
                plan.recall(
                    .lstm, units: Int(value(Study.recallName(.lstm, lag, plan.seeds[0]), "units") ?? 1), lag: lag,
                    seed: plan.seeds[0]
                ).command(on: "recall.txt"),
            ],
            picture: picture, verdict: StudyPlan.cells.map(recallVerdict))
    }

    private func recallVerdict(_ cell: CellKind) -> String {
        let last = recalledLag(cell)
        guard let failed = plan.lags.first(where: { $0 > last }) else {
            return say(.recallAlways, Self.title(cell), "\(last)")
        }
        let left = values("gradient left") { Study.recallName(cell, failed, $0) }.mean
        let why = say(left < 1e-4 ? .recallForgets : .recallSlow)
        return last == 0
            ? say(.recallNever, Self.title(cell), "\(failed)", why)
            : say(.recallUpTo, Self.title(cell), "\(last)", "\(failed)", why)
    }
}
