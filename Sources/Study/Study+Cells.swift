import CharacterModel
import FoundationEssentials
import RecurrentNetwork
import Training

extension Study {
    static func name(_ cell: CellKind, _ divisor: Int, _ seed: UInt64) -> String {
        "cells \(cell.rawValue), 1/\(divisor) of the text, seed \(seed)"
    }

    /// Each cell at equal parameters and equal time, with little text and much.
    func compareCells() throws {
        for divisor in plan.divisors {
            for cell in StudyPlan.cells {
                for seed in plan.seeds { _ = try compared(cell, divisor, seed) }
            }
        }
    }

    private func compared(_ cell: CellKind, _ divisor: Int, _ seed: UInt64) throws -> Notebook.Page {
        try page(Self.name(cell, divisor, seed)) {
            try trained(cell, divisor, seed).outcome.page
        }
    }

    private func trained(
        _ cell: CellKind, _ divisor: Int, _ seed: UInt64, named prefix: String = ""
    ) throws -> (study: StudyCase, outcome: StudyCase.Outcome) {
        let data = try data(dividedBy: divisor)
        let units = units(of: cell, like: try reference(data))
        var study = plan.comparison(cell, units: units, divisor: divisor, seed: seed)
        study.name = prefix + study.name
        return (study, try study.run(on: data, in: folder, threads: threads))
    }

    func path(of cell: CellKind) -> String { "\(folder)/\(cell.rawValue)-1-\(plan.seeds[0]).safetensors" }

    /// The model of a cell that read all of the text; trained again if its file is gone.
    func model(_ cell: CellKind) throws -> LanguageModel? {
        if let model = try? LanguageModel(contentsOf: path(of: cell)) { return model }
        say("\(cell.rawValue) again, for its file is gone")
        // Under another name, so that half a training is never taken for a whole one.
        let study = try trained(cell, 1, plan.seeds[0], named: "again")
        guard let model = study.outcome.model else { return nil }
        try FileManager.default.moveItem(atPath: "\(folder)/\(study.study.name).safetensors", toPath: path(of: cell))
        return model
    }
}

extension StudyCase.Outcome {
    /// The numbers, for a notebook.
    var page: Notebook.Page {
        [
            "nats": [nats], "units": [units], "steps": [steps], "symbols": [symbols], "parameters": [parameters],
            "speed": [speed],
            "memory": [memory], "recoveries": [recoveries], "diverged": [diverged ? 1 : 0],
            "training passes": training.map(\.at), "training nats": training.map(\.nats),
            "gradient norms": training.map(\.norm), "validation passes": validation.map(\.at),
            "validation nats": validation.map(\.nats),
        ]
    }
}
