import CharacterModel
import FoundationEssentials
import Glibc
import Tokenization

/// Writes one sample, as it is made or as a JSON object.
struct SampleWriter {
    let format: SampleFormat
    let prompt: String
    /// The texts that end a sample, as bytes: Swift's own search would match canonical equivalents.
    private let stops: [[UInt8]]
    /// What was generated, as bytes.
    private(set) var generated: [UInt8] = []
    /// The symbols that were generated.
    private(set) var ids: [Int] = []
    private var last: UInt8?
    private let sink: (String) throws -> Void

    /// - Parameter sink: receives the text, in parts.
    init(format: SampleFormat, prompt: String, stops: [String], sink: @escaping (String) throws -> Void) {
        self.sink = sink
        self.format = format
        self.prompt = prompt
        self.stops = stops.map { Array($0.utf8) }
    }

    private struct Record: Encodable {
        let text: String
        let prompt: String
        let seed: UInt64
        let index: Int
        let stop: String
        let logProbability: Double
    }

    /// Writes the symbols of the generator, at most `length`.
    mutating func write(_ generator: TextGenerator, length: Int, seed: UInt64, index: Int) throws {
        var stream = UTF8Stream()
        var text = ""
        var reason = "length"
        var logProbability = 0.0
        func emit(_ part: String) throws {
            guard !part.isEmpty else { return }
            last = part.utf8.last
            if format == .jsonl { text += part }
            try sink(format == .text ? part : "")
        }
        if format == .text { try emit(prompt) }
        var left = length
        for element in generator.prefix(length) {
            left -= 1
            try emit(stream.append(element.symbol.bytes))
            logProbability += element.logProbability
            generated += element.symbol.bytes
            ids.append(element.id)
            if stops.contains(where: { ends(with: $0, last: element.symbol.bytes.count) }) {
                reason = "stop"
                break
            }
        }
        if reason == "length" && left > 0 { reason = "ban" }
        if let end = generator.endLogProbability {
            reason = "end"
            logProbability += end
        }
        try emit(stream.finish())
        switch format {
        case .text: if last != UInt8(ascii: "\n") { try sink("\n") }
        case .jsonl:
            let record = Record(
                text: text, prompt: prompt, seed: seed, index: index, stop: reason, logProbability: logProbability)
            try sink(try Self.line(record))
        }
    }

    /// An object as a line of JSON.
    static func line(_ record: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
    }

    /// Whether a stop text ends within the last symbol.
    private func ends(with stop: [UInt8], last length: Int) -> Bool {
        let window = generated.suffix(stop.count + length - 1)
        return window.count >= stop.count && window.firstRange(of: stop) != nil
    }
}
