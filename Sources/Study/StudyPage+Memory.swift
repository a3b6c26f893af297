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
        let zero = value("context order 0", "nats")
        let (short, all) = (seen("lstm", 8), seen("lstm", .infinity))
        let gain = short.flatMap { short in all.map { short - $0 } }
        let lengths = Study.contexts.filter { $0 > 0 }.map(Double.init)
        let frequencies = series(say(.order0), lengths, zero.map { zero in lengths.map { _ in zero } }, 4)
        let shown: [Double] = [1, 4, 16, 64, .infinity]
        let rows = StudyPlan.cells.map { cell in [Self.title(cell)] + shown.map { nats(seen(cell.rawValue, $0)) } }
        let picture =
            chart(
                say(.contextTitle), x: (say(.contextLength), .doubling), y: (say(.natsPerSymbol), .linear),
                curves + [frequencies])
            + table([say(.cell)] + shown.map { $0.isFinite ? "\(Int($0))" : say(.unlimited) }, rows)
        return section(
            .contextTitle, .contextClaim, .contextExperiment,
            byHand: [compared(.lstm) + " --output lstm.safetensors", "inspect lstm.safetensors \(validation)"],
            picture: picture,
            verdict: [
                say(.contextVerdict, nats(zero), nats(short), nats(all)),
                judged(gain.map { $0 > 0.02 }, .contextHolds, .contextFails, nats(gain)),
            ])
    }

    /// The nats of a cell that may see so many symbols.
    private func seen(_ cell: String, _ context: Double) -> Double? {
        values("context \(cell)", "contexts")?.firstIndex(of: context)
            .flatMap { values("context \(cell)", "nats")?[$0] }
    }

    var flow: String {
        let curves = StudyPlan.cells.enumerated().flatMap { index, cell in
            [("trained", Chart.Series.Style.line, StudyText.Key.trained), ("untrained", .faint, .untrained)].map {
                state, style, key in
                let page = "gradients \(cell.rawValue), \(state)"
                return series(
                    "\(Self.title(cell)), \(say(key))", values(page, "lags"), values(page, "norms"), index, style)
            }
        }
        let lags = StudyPlan.cells.compactMap { values("gradients \($0.rawValue), trained", "lags")?.last }
        let lag = Int(min(32, lags.min() ?? 0))
        let left = StudyPlan.cells.map { cell -> Double? in
            guard let norms = values("gradients \(cell.rawValue), trained", "norms"), norms.count > lag else {
                return nil
            }
            return norms[lag] / norms[0]
        }
        // At least twice as much.
        let holds = left[0].flatMap { rnn in left[1].flatMap { gru in left[2].map { 2 * rnn < min(gru, $0) } } }
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
                judged(holds, .flowHolds, .flowFails),
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
        return section(
            .explosionTitle, .explosionClaim, .explosionExperiment,
            byHand: StudyPlan.clips.map { plan.explosion(clip: $0.clip).command(on: files()) },
            picture: "<div class=plots>"
                + chart(say(.trainingLoss), x: (say(.passes), .linear), y: (say(.natsPerSymbol), .logarithmic), losses)
                + chart(say(.norm), x: (say(.passes), .linear), y: (say(.norm), .logarithmic), norms) + "</div>\n",
            verdict: [
                say(
                    .explosionVerdict, short(found[0].norm), whole(found[0].recoveries), nats(found[0].nats),
                    short(found[1].norm), whole(found[1].recoveries), nats(found[1].nats)),
                explosionVerdict(found.map { ($0.recoveries, $0.nats) }),
            ])
    }

    /// - Parameter found: clipped, and not clipped.
    private func explosionVerdict(_ found: [(recoveries: Double, nats: Double)]) -> String {
        guard pages["explosion clipped"] != nil, pages["explosion not clipped"] != nil else { return say(.notMeasured) }
        let exploded = found.map { $0.recoveries > 0 || $0.nats == .infinity }
        let isWorse = found[1].nats > found[0].nats + 0.02
        switch (exploded[0], exploded[1]) {
        case (false, true): return say(.explosionHolds)
        case (true, _): return say(.explosionBoth)
        case (false, false): return say(isWorse ? .explosionWorse : .explosionFails)
        }
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
                ).command(on: "recall.txt --output recall.safetensors"),
                "lecture --recall \(lag) --score recall.safetensors",
            ],
            picture: picture, verdict: StudyPlan.cells.map(recallVerdict))
    }

    private func whyNotRecalled(_ cell: CellKind, _ lag: Int) -> StudyText.Key {
        let left = values("gradient left") { Study.recallName(cell, lag, $0) }.sorted()
        guard !left.isEmpty else {
            return accuracies(cell, lag).isEmpty ? .notMeasured : .recallDiverged
        }
        return left[left.count / 2] < 1e-4 ? .recallForgets : .recallSlow
    }

    private func recallVerdict(_ cell: CellKind) -> String {
        let last = recalledLag(cell)
        guard let failed = plan.lags.first(where: { $0 > last }) else {
            return say(.recallAlways, Self.title(cell), "\(last)")
        }
        let why = say(whyNotRecalled(cell, failed))
        return last == 0
            ? say(.recallNever, Self.title(cell), "\(failed)", why)
            : say(.recallUpTo, Self.title(cell), "\(last)", "\(failed)", why)
    }
}
