import Glibc
import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// The states, gates and losses of a text as tensors in a safetensors file, for other tools.
///
/// Row t belongs to the step that reads symbol t - 1 (or the boundary) and predicts symbol t:
///
/// - `symbols` [N], 32-bit integers: the id of symbol t.
/// - `losses` [N]: -ln p of symbol t, in nats, the spelling of an unknown symbol included.
/// - `layerL.h` [N, H], and `layerL.c` of an LSTM: the states after the step.
/// - `layerL.GATE` [N, H]: each gate between 0 and 1, by its name: `reset`, `update`, `input`, `forget`, `output`.
///
/// The metadata `vocabulary` is a JSON list: the symbol of each id.
public struct StateExport: Sendable {
    private let model: LanguageModel
    private let text: EncodedText
    private let header: [UInt8]
    private let entries: [String: SafetensorsWriter.Entry]
    /// The size of the file.
    public let bytes: Int

    /// - Throws: `EvaluationError` for a text that was read differently, or has no symbols.
    public init(of corpus: Corpus, for model: LanguageModel) throws(EvaluationError) {
        try model.vocabulary.check(corpus)
        let text = EncodedText(corpus, vocabulary: model.vocabulary)
        (self.model, self.text) = (model, text)
        let (shape, cell) = (model.configuration, model.configuration.cell.cell)
        var tensors: [(name: String, type: String, shape: [Int])] = [
            ("symbols", "I32", [text.count]), ("losses", "F32", [text.count]),
        ]
        for layer in 0..<shape.layers {
            let names = cell.stateNames + cell.valves.map { cell.gates[$0] }
            tensors += names.map { ("layer\(layer).\($0)", "F32", [text.count, shape.hidden]) }
        }
        let entries = SafetensorsWriter.entries(tensors)
        (self.entries, header) = (entries, SafetensorsWriter.header(Self.metadata(model.vocabulary), entries))
        bytes = 8 + header.count + (entries.values.map { $0.offsets[1] }.max() ?? 0)
    }

    private static func metadata(_ vocabulary: Vocabulary) -> [String: String] {
        let names = vocabulary.symbols.map { symbol in
            String(validating: symbol.bytes, as: UTF8.self)
                ?? symbol.escapedBytes
        }
        return [
            "format": "escriba states", "unit": vocabulary.unit.rawValue,
            "vocabulary": json(names + ["\\boundary", "\\unknown"]),
        ]
    }

    /// Writes the file, atomically, while the text is read.
    ///
    /// - Throws: `CheckpointError.cannotWrite` if the disk has no room, before anything is written where it says so.
    public func write(to path: String) throws(CheckpointError) {
        if let free = Self.freeBytes(beside: path), free < bytes {
            throw .cannotWrite(path: path, reason: "it takes \(bytes) bytes and the disk has \(free) left")
        }
        var file = try AtomicFile(replacing: path)
        try file.append([UInt64(header.count).littleEndian].span.bytes)
        try file.append(header.span.bytes)
        let start = 8 + header.count
        func put(_ name: String, row: Int, _ bytes: RawSpan) throws(CheckpointError) {
            let entry = entries[name]!
            try file.write(bytes, at: start + entry.offsets[0] + 4 * row * entry.shape.dropFirst().reduce(1, *))
        }
        try TextPass(network: model.network, text: text).run(steps: text.count, scores: true) {
            chunk throws(CheckpointError) in
            var symbols: [Int32] = []
            var losses: [Float] = []
            text.forEachSymbol(in: chunk.steps) { position, symbol in
                symbols.append(text.id(ofSymbol: symbol))
                losses.append(Float(chunk.losses[0, losses.count] + text.spelling(ofSymbol: symbol)))
            }
            try put("symbols", row: chunk.steps.lowerBound, symbols.span.bytes)
            try put("losses", row: chunk.steps.lowerBound, losses.span.bytes)
            for (name, values) in tensors(of: chunk) {
                try put(name, row: chunk.steps.lowerBound, values.span.bytes)
            }
        }
        try file.commit()
    }

    /// The rows of each layer's tensors.
    private func tensors(of chunk: TextPass.Chunk) -> [(name: String, values: [Float])] {
        let (cell, h) = (model.configuration.cell.cell, model.configuration.hidden)
        return (0..<model.configuration.layers).flatMap { layer in
            let gates = chunk.gates(layer: layer)
            return cell.stateNames.enumerated().map { index, name in
                ("layer\(layer).\(name)", chunk.states(layer: layer, state: index).elements)
            }
                + cell.valves.map { gate in
                    let values = gates.rows(0..<chunk.steps.count).columns(gate * h..<(gate + 1) * h)
                    return ("layer\(layer).\(cell.gates[gate])", values.elements)
                }
        }
    }

    /// Whether a file holds states, or nothing: a model would be lost.
    public static func isReplaceable(_ path: String) -> Bool {
        guard let file = fopen(path, "r") else { return true }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        return count == 0
            || String(decoding: bytes.prefix(count), as: UTF8.self).contains("\"format\":\"escriba states\"")
    }

    private static func freeBytes(beside path: String) -> Int? {
        var figures = statvfs()
        guard statvfs(folder(of: linkTarget(path)), &figures) == 0 else { return nil }
        return Int(figures.f_bavail) * Int(figures.f_frsize)
    }
}

extension RecurrentCell {
    /// The states' short names: `h` and, of a cell that has one, `c`.
    var stateNames: [String] { states.map { $0 == "cell" ? "c" : "h" } }
}
