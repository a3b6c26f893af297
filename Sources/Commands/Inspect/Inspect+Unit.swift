import ArgumentParser
import CharacterModel
import CommandSupport
import Glibc
import Reports
import Tokenization

/// A unit on the command line: 37, or 1:37 with its layer.
struct UnitArgument: ExpressibleByArgument {
    let layer: Int
    let unit: Int

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let unit = parts[parts.count - 1],
            let layer = parts.count == 2 ? parts[0] : 0
        else { return nil }
        (self.layer, self.unit) = (layer, unit)
    }
}

extension Inspect {
    /// Prints a text coloured by a unit.
    func show(_ unit: UnitArgument, of model: LanguageModel, over corpus: Corpus) throws {
        let shape = model.configuration
        guard (0..<shape.layers).contains(unit.layer), (0..<shape.hidden).contains(unit.unit) else {
            throw UsageError(
                "there is no unit \(unit.layer):\(unit.unit); layers are 0 to \(shape.layers - 1), units 0 to \(shape.hidden - 1)"
            )
        }
        let trace = try model.trace([UnitName(layer: unit.layer, unit: unit.unit)], over: corpus)
        let values = trace.values[0][0]
        var coloring = UnitColoring(values, isColored: Terminal.output.isColored)
        StandardError.print("layer \(unit.layer), unit \(unit.unit); \(coloring.legend)")
        for position in values.indices {
            if corpus.files.contains(where: { $0.tokens.lowerBound == position && position > 0 }) {
                try StandardOutput.write(coloring.endFile())
            }
            let symbol = corpus[position] == Corpus.endOfRecord ? nil : corpus.symbols[corpus[position]]
            let text = coloring.text(of: symbol, values[position])
            if !text.isEmpty { try StandardOutput.write(text) }
        }
        try StandardOutput.write(coloring.endFile())
        if values.count < corpus.count {
            StandardError.print("the first \(formatted(values.count)) of \(formatted(corpus.count)) symbols")
        }
    }

    /// Writes states, gates and losses.
    func write(_ path: String, of model: LanguageModel, over corpus: Corpus) throws {
        let export = try StateExport(of: corpus, for: model)
        StandardError.print(
            "writing \(formatted(bytes: Double(export.bytes))): \(formatted(corpus.count)) symbols to \(quoted(path))")
        try export.write(to: path)
    }
}

extension UnitText {
    /// Follows what the page shows.
    init(of model: LanguageModel, over corpus: Corpus, units: [TellingUnit]) throws {
        let shape = model.configuration
        let names = Self.chosen(units)
        let short = Self.shortLength(units: shape.layers * shape.hidden)
        let all = (0..<shape.layers).flatMap { layer in
            (0..<shape.hidden).map { UnitName(layer: layer, unit: $0) }
        }
        self.init(
            corpus, telling: try model.trace(names, over: corpus, limit: Self.length(of: corpus)),
            gates: try model.trace(names, over: corpus, limit: short, gates: true),
            means: try model.gateMeans(over: corpus, limit: short),
            others: try model.trace(all, over: corpus, limit: short))
    }
}
